"""Addresses of machines: which of them lie in the internet, and which within a network of one's own."""

import ipaddress


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, whatever way it is written. Raises ValueError for none.

    >>> [is_public(each) for each in ("8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "224.0.0.1")]
    [True, False, False, False, False]
    """
    told = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(told, "ipv4_mapped", None) or told
    return inner.is_global and not inner.is_multicast

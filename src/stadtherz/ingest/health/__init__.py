"""How the devices are: what is known of each, in words, and its last messages as they came (`devices.messages`).

`notes` gathers what each delivery tells and `writing` keeps it, aside of the measurements and in groups;
the rules (`counters`, `intervals`, `battery`, `conditions`) are pure. All of this is for people who look
after devices: a crash may lose some seconds of it, the readings and the refused list are the truth.
"""

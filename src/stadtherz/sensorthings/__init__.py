"""OGC SensorThings API, 1.1 Sensing (18-088) and 2.0 (23-019), as the public faces of the store.

A request walks through rooms with plain data between them; each knows only those above it here:

    headers    what HTTP says of a request beside its address and its body
    language   text -> syntax trees: paths, options, filters      no knowledge of the model
    standard   the entity model of each version as data, over the same tables; where the faces differ
    query      syntax + model + Visibility -> plan -> SQL; `execute` is the only module with a connection
    answers    plan -> entities with the store's readings -> bytes; also the service root and OpenAPI
    writing    JSON -> changes in the store: one entity or a deep one, links, bulk, what filters find
    live       what changes in the answer of a query, told as it happens: server-sent events, MQTT
    doors      HTTP and bare ASGI, batches, data sets, messages; questions from within the product
"""

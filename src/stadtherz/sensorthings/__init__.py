"""OGC SensorThings API 1.1 Sensing (18-088) as the public face of the store.

A request walks through stages with plain data between them:

    paths, grammar   text -> syntax tree                      no knowledge of the model
    schema           the entity model as data
    plan             syntax + schema + Visibility -> plan     no knowledge of tables' SQL
    sql              plan -> one statement per entity set
    execute          the only module with a connection
    resolve, fetch   plan -> entities, with the store's readings
    render           entities -> JSON bytes
    write, bodies    JSON -> changes in the store
    changes          one writing request: conditions, patches, locks, preferences around `write`
    references       links by themselves ($ref); filtered: DELETE of what a filter finds
    batch, parts     several requests in one, as JSON or multipart
    http             ASGI, errors, CORS
"""

"""OGC SensorThings API, 1.1 Sensing (18-088) and 2.0 (23-019), as the public faces of the store.

A request walks through stages with plain data between them:

    paths, grammar   text -> syntax tree                      no knowledge of the model
    model            what an entity model is made of
    schema, schema_v2  the entity model of each version as data, over the same tables
    faces            where versions differ beyond names: habits, control information
    plan             syntax + schema + Visibility -> plan     no knowledge of tables' SQL
    sql              plan -> one statement per entity set
    execute          the only module with a connection
    resolve, fetch   plan -> entities, with the store's readings
    render           entities -> JSON bytes
    write, bodies    JSON -> changes in the store
    result_types, kinds  what the results of a Datastream are, in both versions' words
    landing, csdl    the service root, and the model as OData describes it
    openapi, json_schemas  the whole interface as OpenAPI describes it
    changes          one writing request: conditions, patches, locks, preferences around `write`
    references       links by themselves ($ref); filtered: DELETE of what a filter finds
    watch, events    what changes in the answer of a query, told as it happens
    batch, parts     several requests in one, as JSON or multipart
    http             ASGI, errors, CORS
    inquiry          the same questions asked from within the product, for pages
"""

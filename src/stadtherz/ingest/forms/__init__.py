"""Message forms: what a message of a device says that speaks no LoRaWAN, in an organisation's own words.

`expressions` finds a text or number in a message, `times` makes an instant of it, `reading` turns a
message into uplinks; `known` has the forms of the organisations, `refused.form_trial` shows what one makes of a message.
"""

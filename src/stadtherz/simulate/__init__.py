"""The simulator: a city of any number of devices in the documents of their networks, for demonstrations, load and training.

`devices` and `kinds` say what the city has, `values` what is measured, `documents` how a network
tells it, `mishaps` and `schedule` what is sent when; `player` sends it through a door. Only
`set_up` needs the product's database: playing works from any machine.
"""

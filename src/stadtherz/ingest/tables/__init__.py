"""Tables that people hand in: a CSV file or an Excel workbook becomes readings of datastreams.

`recognise` proposes how a file is to be read, `rules` holds what people say about it, `reading` gives its
rows one by one, `understanding` makes readings of them, `work` checks or imports a whole file and
goes on where it was. `worker` is the thread that does what waits, `watching` brings the files of folders.
"""

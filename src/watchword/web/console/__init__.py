"""The console of a node: its pages, their twins in JSON, and the few acts that people can do there.

* ``table``      one row for each page: address, who may read it, the function whose data it shows; routes, twins and
                 the OpenAPI description are all made from it (the rows are in ``sheets``)
* ``knowledge``  what one node holds, read once for each state of its disk; the status page, made outside of requests
* ``holdings``   lists of it, from the files or from the catalog; ``shelf`` is that catalog, kept up to date
* ``pages``      the functions: plain data out of what is known, nothing decided that a command would decide otherwise
* ``access``     who reads: sessions by passkey, by client certificate or by a link from the terminal
* ``looks``      the record of who looked at what
* ``acts``       what is signed here, by whom
* ``door``       the application: it renders, and checks each request against the table and the session
"""

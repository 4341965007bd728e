"""Statements as tables: what is asked often, and across all that is held, is asked in SQL.

* ``schema``     the tables and their version
* ``database``   open one: SQLite by default, PostgreSQL by URL
* ``steps``      how tables of an older version become those of the next
* ``rows``       what one statement puts into the tables
* ``fill``       take statements in, at once or bit by bit
* ``queries``    what pages and commands ask
* ``lists``      numbered pages of statements and releases, for each reader what is for him

A catalog is a projection: deleted, it is made again from the ledgers, and answers the same. No decision trusts it.
"""

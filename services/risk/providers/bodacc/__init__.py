"""BODACC: the French gazette of legal notices, open data, free, without an account.

https://bodacc-datadila.opendatasoft.com — dataset `annonces-commerciales`, Explore API v2.1.
"""

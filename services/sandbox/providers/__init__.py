"""A stand-in for every provider of company data, speaking its wire format over real HTTP.

The formats are written down here anew, from what is publicly known of them and not from our adapters: two readings of the same
page that agree are worth more than one. What the stand-ins send is made up.
"""

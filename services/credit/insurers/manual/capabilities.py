"""What a manual connection takes: everything, for people do the asking."""

from decimal import Decimal

from services.credit.domain.insurance.vocabulary import PRODUCTS
from services.credit.insurers.port import AmountRule, Capabilities

CAPABILITIES = Capabilities(
    products={product: AmountRule(step=Decimal("0.01"), least=Decimal("0.01")) for product in PRODUCTS},
    search="no",
    submit="no",
    cancel="no",
    find_request="no",
    read_covers="no",
    grades="no",
    overdues="no",
    webhook_modes=("none", "standard_webhooks", "hmac_header"),
    search_by=(),
)

# ruff: noqa: E501
"""Japanese templates."""

GREETING = "{{ contact.name }} 様"
CLOSING = "{{ sender.name }}\n{{ sender.email }}"
PAGE = "お取引明細はこちらでご確認いただき、明細ごとにご回答いただけます：{{ page_url }}"

LABELS = {
    "number": "番号",
    "issued": "発行日",
    "due": "支払期日",
    "days_late": "遅延日数",
    "amount": "未払額",
    "total": "ご請求合計",
    "more": "ほか {count} 件：お取引明細書をご覧ください",
    "statement": "お取引明細書",
    "account": "お客様番号",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}：請求書 {{ leader.number }} のお支払期日は {{ leader.due_date }} です",
        """\
平素より格別のお引き立てを賜り、厚く御礼申し上げます。請求書 {{ leader.number }}（{{ leader.amount }}）のお支払期日は {{ leader.due_date }} でございます。

{{ listing }}

内容に相違がございましたら、期日までに対応できますよう、今のうちにお知らせください。""",
    ),
    "first_reminder": (
        "{{ sender.name }}：{{ total }} のお支払いについて（請求書 {{ leader.number }}）",
        """\
平素より格別のお引き立てを賜り、厚く御礼申し上げます。請求書 {{ leader.number }} は {{ leader.due_date }} がお支払期日でしたが、本日時点でご入金を確認できておりません。行き違いの場合はご容赦ください。

{{ today }} 現在、お客様番号 {{ customer.number }}、{{ customer.name }} 様：

{{ listing }}

数日中にお支払いいただくか、ご事情がございましたらお知らせくださいますようお願い申し上げます。""",
    ),
    "second_reminder": (
        "再度のお願い：{{ sender.name }} への未払額 {{ total }}",
        """\
先にご連絡いたしました請求書 {{ leader.number }} は、お支払期日から {{ leader.days_late }} 日が経過しております。お客様番号 {{ customer.number }}（{{ customer.name }} 様）には次の未払いがございます。

{{ listing }}

お支払予定日、または遅延の理由を折り返しお知らせください。ご不審の点は、お知らせいただいてはじめて解決できます。ご返答がない場合は、お電話を差し上げます。""",
    ),
    "third_reminder": (
        "三度目のお願い：{{ leader.due_date }} からの未払額 {{ total }}",
        """\
再三のお願いにもかかわらず、請求書 {{ leader.number }} は {{ leader.days_late }} 日遅延しており、ご入金もご返答もいただいておりません。

{{ listing }}

{{ total }} を八日以内にお支払いください。期限を過ぎた場合は、本件を担当部署外に引き継ぎ、出荷を停止することがございます。""",
    ),
    "formal_notice": (
        "催告書：{{ total }}（お客様番号 {{ customer.number }}）",
        """\
催告書

これまでのお願いにもかかわらず、お支払いをいただいておりません。つきましては、{{ today }} 現在のお客様番号 {{ customer.number }}（{{ customer.name }} 様）の下記債務合計 {{ total }} を、本書到達の日から八日以内にお支払いくださいますよう催告いたします。

{{ listing }}

期限内にお支払いがない場合は、改めて通知することなく法的手続を取り、法定の利息および費用を請求いたします。""",
    ),
    "statement": (
        "{{ sender.name }} お客様番号 {{ customer.number }} のお取引明細書",
        """\
{{ today }} 現在のお客様番号 {{ customer.number }}（{{ customer.name }} 様）のお取引明細を、下記および添付書類のとおりお送りいたします。

{{ listing }}

貴社の帳簿と相違がございましたら、該当の明細をお知らせください。""",
    ),
    "promise_confirmation": (
        "お支払いのご予定{% if promise.date %}（{{ promise.date }}）{% endif %}の確認",
        """\
ご回答ありがとうございます。下記の明細{% if promise.amount %}（合計 {{ promise.amount }}）{% endif %}を {{ promise.date }} にお支払いいただける旨、承りました。

{{ listing }}

?comment {{ comment }}

それまでは、これらについてご連絡を差し上げません。""",
    ),
    "promise_broken": (
        "お支払いのご予定{% if promise.date %}（{{ promise.date }}）{% endif %}のご入金が確認できません",
        """\
{{ promise.date }} に{% if promise.amount %} {{ promise.amount }} の{% endif %}お支払いのご予定を伺っておりましたが、ご入金を確認できておりません。

{{ listing }}

お支払い済みの場合は日付と振込名義を、お済みでない場合は本日中のお手続きをお願い申し上げます。""",
    ),
    "dispute_acknowledgement": (
        "お客様番号 {{ customer.number }} のお申し出を調査しております",
        """\
下記の明細についてご異議を承り{% if dispute %}（{{ dispute }}）{% endif %}、調査しております。判明し次第ご連絡いたします。その間、これらについてお支払いのお願いは差し上げません。

{{ listing }}

?comment {{ comment }}

ご異議のない明細は、期日どおりのお支払いをお願い申し上げます。""",
    ),
    "status_notice": (
        "{{ customer.name }}：{{ status }}",
        """\
{{ customer.name }}（{{ customer.number }}）の下記明細の状況は「{{ status }}」になりました。

?comment {{ comment }}

{{ listing }}

必要な対応をお願いします。担当が異なる場合はお知らせください。""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}：お客様番号 {{ customer.number }} に期日経過の {{ total }} がございます（請求書 {{ leader.number }}、{{ leader.due_date }}）。お支払いまたはご連絡をお願いします。{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "{{ customer.name }} へ電話：{{ total }}",
        """\
{{ customer.name }}（{{ customer.number }}）、{{ contact.name }} 様へ。

最も古い明細：{{ leader.number }}、{{ leader.amount }}、期日 {{ leader.due_date }}、{{ leader.days_late }} 日遅延。

{{ listing }}

確認事項：明細ごとの支払日、遅延の理由、異議とその番号。""",
    ),
}

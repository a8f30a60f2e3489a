# ruff: noqa: E501
"""Turkish templates."""

GREETING = "Sayın {{ contact.name }},"
CLOSING = "Saygılarımızla,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Her kaleme yanıt verebileceğiniz hesabınız: {{ page_url }}"

LABELS = {
    "number": "Numara",
    "issued": "düzenleme",
    "due": "vade",
    "days_late": "gecikme günü",
    "amount": "Açık tutar",
    "total": "Toplam borç",
    "more": "ve {count} kalem daha: lütfen hesap ekstrenize bakınız",
    "statement": "Hesap ekstresi",
    "account": "Hesap",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: {{ leader.number }} numaralı faturanın vadesi {{ leader.due_date }}",
        """\
Vadeden önce kısa bir hatırlatma: {{ leader.amount }} tutarındaki {{ leader.number }} numaralı faturanın vadesi {{ leader.due_date }} tarihindedir.

{{ listing }}

Bir yanlışlık varsa zamanında düzeltilebilmesi için lütfen şimdi bize bildiriniz.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: vadesi geçmiş {{ total }}, fatura {{ leader.number }}",
        """\
Gözünüzden kaçmış olabilir: {{ leader.number }} numaralı faturanın vadesi {{ leader.due_date }} tarihinde dolmuştur ve mesajlarımız yolda karşılaşmadıysa ödemeniz henüz bize ulaşmamıştır.

{{ today }} itibarıyla {{ customer.number }} numaralı hesap, {{ customer.name }}:

{{ listing }}

Lütfen önümüzdeki birkaç gün içinde ödeme yapınız veya buna neyin engel olduğunu bize bildiriniz.""",
    ),
    "second_reminder": (
        "İkinci hatırlatma: {{ sender.name }} nezdinde vadesi geçmiş {{ total }}",
        """\
Şu anda {{ leader.days_late }} gün gecikmiş olan {{ leader.number }} numaralı fatura hakkında size yazmıştık. {{ customer.number }} numaralı hesapta ({{ customer.name }}) aşağıdaki tutar hâlâ açıktır:

{{ listing }}

Lütfen ödeme gününüzü veya gecikmenin nedenini bize bildiriniz: bir itirazı ancak bilirsek çözebiliriz. Yanıt alamazsak sizi arayacağız.""",
    ),
    "third_reminder": (
        "Üçüncü hatırlatma: {{ leader.due_date }} tarihinden beri gecikmiş {{ total }}",
        """\
Hatırlatmalarımıza rağmen {{ leader.number }} numaralı fatura {{ leader.days_late }} gün gecikmiştir; ne ödeme ne de yanıt aldık.

{{ listing }}

{{ total }} tutarını sekiz gün içinde ödemenizi rica ederiz. Bu süreden sonra dosyayı devretmek zorunda kalacağız ve sevkiyatı durdurabiliriz.""",
    ),
    "formal_notice": (
        "Ödeme ihtarı: {{ total }}, hesap {{ customer.number }}",
        """\
Ödeme ihtarı

Hatırlatmalarımız sonuçsuz kalmıştır. {{ customer.number }} numaralı hesabın ({{ customer.name }}) {{ today }} itibarıyla aşağıdaki kalemleri için {{ total }} tutarını bu bildirimin alınmasından itibaren sekiz gün içinde ödemenizi ihtar ederiz:

{{ listing }}

Bu süre içinde ödeme yapılmazsa başka bir bildirimde bulunmaksızın yasal yollara başvuracak, kanunun öngördüğü faiz ve masrafları talep edeceğiz.""",
    ),
    "statement": (
        "{{ sender.name }} nezdindeki {{ customer.number }} numaralı hesabınızın ekstresi",
        """\
{{ customer.number }} numaralı hesabın ({{ customer.name }}) {{ today }} tarihli ekstresi aşağıda ve ektedir.

{{ listing }}

Kayıtlarınız farklıysa lütfen hangi kalemlerin uyuşmadığını bize bildiriniz.""",
    ),
    "promise_confirmation": (
        "Ödemeniz{% if promise.date %} ({{ promise.date }}){% endif %}: teyit",
        """\
Yanıtınız için teşekkür ederiz. Aşağıdaki kalemleri{% if promise.amount %}, toplam {{ promise.amount }},{% endif %} {{ promise.date }} tarihinde ödeyeceğinizi kaydettik.

{{ listing }}

?comment {{ comment }}

O tarihe kadar bunlar için hatırlatma almayacaksınız.""",
    ),
    "promise_broken": (
        "Bildirilen ödeme{% if promise.date %} ({{ promise.date }}){% endif %} ulaşmadı",
        """\
{{ promise.date }} tarihi için{% if promise.amount %} {{ promise.amount }} tutarında{% endif %} bir ödeme bildirmiştiniz. Bu ödeme bize ulaşmadı.

{{ listing }}

Lütfen ödemenin ne zaman ve hangi referansla yapıldığını bildiriniz veya bugün ödeyiniz.""",
    ),
    "dispute_acknowledgement": (
        "{{ customer.number }} numaralı hesaba ilişkin itirazınız inceleniyor",
        """\
Aşağıdaki kalemlere itiraz ettiğinizi{% if dispute %} ({{ dispute }}){% endif %} kaydettik ve inceliyoruz. Daha fazla bilgi edindiğimizde size döneceğiz; bu arada bunlar için hatırlatma gönderilmeyecektir.

{{ listing }}

?comment {{ comment }}

İtiraz edilmeyen kalemler vadelerinde ödenmelidir.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
{{ customer.name }} ({{ customer.number }}) müşterisinin aşağıdaki kalemlerinin durumu artık: {{ status }}.

?comment {{ comment }}

{{ listing }}

Lütfen gerekeni yapınız veya kimin yapması gerektiğini bildiriniz.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ customer.number }} numaralı hesapta vadesi geçmiş {{ total }} var (fatura {{ leader.number }}, {{ leader.due_date }}). Lütfen ödeyiniz veya bizi arayınız.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "{{ customer.name }} aranacak: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), görüşülecek kişi: {{ contact.name }}.

En eski kalem: {{ leader.number }}, {{ leader.amount }}, vadesi {{ leader.due_date }}, {{ leader.days_late }} gün gecikmiş.

{{ listing }}

Sorulacaklar: her kalem için ödeme tarihi, gecikmenin nedeni ve numaralarıyla itirazlar.""",
    ),
}

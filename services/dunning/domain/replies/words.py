# ruff: noqa: E501
"""The words rules look for, as regular expressions over lower-case text, in the fifteen languages of the product."""

#: Directly before a phrase they turn it round. Languages that deny behind the verb are served by the phrases themselves.
DENIALS = (
    "not", "no", "never", "haven't", "hasn't", "n'est", "n'avons", "nicht", "kein", "keine", "no hemos", "non", "niet", "geen",
    "não", "nie", "nu", "nije", "nismo", "inte", "ej",
)  # fmt: skip

#: The same in languages that do not set words apart.
DENIALS_WITHOUT_BLANKS = ("未", "没有", "没", "不")

WORDS: dict[str, tuple[str, ...]] = {
    "dispute": (
        r"\bdisput(e|es|ed|ing)\b", r"\bwe do not agree\b", r"\b(wrong|incorrect) (price|amount|quantity|invoice)\b", r"\bdamaged\b", r"\bnever (received|ordered)\b", r"\bnot (been )?(delivered|received|ordered)\b", r"\bmissing (goods|items|parts)\b", r"\bcredit note (is )?(due|missing|expected)\b",
        r"\blitige\b", r"\bcontest(ons|e|é|ée|er)\b", r"\bpas d'accord\b", r"\bendommag", r"\b(pas|jamais) (été )?(reçu|livré)", r"\berreur (de|sur) (le |la )?(prix|montant|facture|quantité)", r"\bavoir (est )?(attendu|à recevoir)",
        r"\bbeanstand", r"\breklam", r"\bnicht einverstanden\b", r"\b(preis|rechnung|betrag|menge) (ist|sind) (falsch|fehlerhaft)\b", r"\bbeschädigt", r"\bnicht (geliefert|erhalten|bestellt)\b", r"\bbestreiten\b",
        r"\breclamaci[oó]n\b", r"\bno estamos de acuerdo\b", r"\bimpugn", r"\bdañad", r"\bno (hemos )?recib", r"\bprecio (incorrecto|equivocado)\b",
        r"\bcontestiamo\b", r"\bcontestazione\b", r"\bnon siamo d'accordo\b", r"\bdanneggiat", r"\bprezzo (errato|sbagliato)\b", r"\bnon (abbiamo )?ricevut",
        r"\bbetwist", r"\bniet akkoord\b", r"\bbeschadigd\b", r"\bniet (geleverd|ontvangen|besteld)\b", r"\b(prijs|factuur) (is )?onjuist\b",
        r"\bcontestamos\b", r"\bnão concordamos\b", r"\bdanificad", r"\bnão (foi )?(recebemos|recebida|entregue)", r"\bpreço (errado|incorreto)\b",
        r"\breklamacj", r"\bnie zgadzamy\b", r"\buszkodzon", r"\bnie otrzymaliśmy (towaru|dostawy)", r"\bbłędna (cena|faktura|kwota)\b",
        r"\bcontestăm\b", r"\bnu suntem de acord\b", r"\bdeteriorat", r"\bpreț greșit\b", r"\bnu am primit (marfa|produsele)",
        r"\bosporavamo\b", r"\bprigovor", r"\bne slažemo\b", r"\boštećen", r"\bpogrešna cijena\b", r"\bnismo primili (robu|isporuku)",
        r"\bbestrid", r"\bhåller inte med\b", r"\bskada(d|t|de)\b", r"\bfel (pris|belopp)\b", r"\binte (levererats|fått varorna)",
        r"itiraz ed", r"\bhasarlı\b", r"\byanlış (fiyat|tutar|fatura)", r"teslim (almadık|edilmedi)",
        r"異議", r"金額が(違|間違)", r"破損", r"届いて(い)?ません", r"納品されて",
        r"有异议", r"不同意", r"损坏", r"未收到货", r"价格(错误|不符)", r"金额(错误|不符)",
    ),
    "already_paid": (
        r"\b(already|has been|have been|was|were) paid\b", r"\bwe (have )?paid\b", r"\bpayment (was|has been) (made|sent|executed)\b", r"\btransfer (was|has been) (made|ordered|sent)\b",
        r"\bdéjà (été )?(payé|réglé)", r"\b(avons|a été|ont été) (bien )?(payé|réglé|viré)", r"\bvirement (a été )?(effectué|fait|émis)", r"\brèglement (a été )?effectué",
        r"\b(bereits|schon) (bezahlt|überwiesen|beglichen)\b", r"\bwurde (bezahlt|überwiesen|beglichen)\b", r"\bhaben (wir )?.{0,40}(bezahlt|überwiesen|beglichen)\b",
        r"\bya (está |ha sido |hemos )?pagad", r"\bhemos pagado\b", r"\btransferencia (realizada|hecha)\b", r"\bfue pagada\b",
        r"\bgià (stat[ao] )?pagat", r"\babbiamo (già )?pagato\b", r"\bbonifico (effettuato|eseguito)\b",
        r"\b(al|reeds) (betaald|overgemaakt)\b", r"\bis (al )?betaald\b", r"\bhebben (wij |we )?.{0,30}(betaald|overgemaakt)\b",
        r"\bjá (foi |está |foram )?pag", r"\bpagámos\b", r"\bpagamos em\b", r"\btransferência (efetuada|realizada)\b",
        r"\b(już )?zapłacon[oaye]\b", r"\bzapłaciliśmy\b", r"\bprzelew (został )?(wykonany|zlecony)\b",
        r"\b(deja|am) plătit", r"\ba fost plătit", r"\bplata a fost (făcută|efectuată)\b",
        r"\bveć (smo )?(je )?plać", r"\bplatili smo\b", r"\bsmo platili\b", r"\buplata je izvršena\b",
        r"\b(redan|har) betal(at|ats|d|t)\b", r"\bvi betalade\b", r"\bär betald\b",
        r"ödendi\b", r"ödeme yapıldı", r"\bödedik\b",
        r"(支払い|支払|振込|振り込み)(済|いました|みました|完了)", r"お?支払い済", r"振り込みました", r"送金(済|しました)",
        r"已(经)?(付款|支付|付清|汇款)", r"款已(付|汇)",
    ),
    "promise": (
        r"\b(will|shall|going to|we'll|i'll) (be )?(pay|paid|settle|transfer)", r"\bpayment (will be|is (planned|scheduled|foreseen))", r"\bpay (you )?(on|by|next|tomorrow|this)\b", r"\bpayment (on|by) ",
        r"\b(paierons|réglerons|payerons|paierai|réglerai|virerons)\b", r"\ballons (payer|régler)\b", r"\b(règlement|paiement|virement) (est |sera )?(prévu|programmé|effectué le|fait le|pour le)", r"\bsera (payée?|réglée?)", r"\bseront (payées|réglées)",
        r"\bwerden .{0,60}(zahlen|überweisen|begleichen|bezahlen)\b", r"\bwird .{0,60}(bezahlt|überwiesen|beglichen)\b", r"\bzahlung (erfolgt|ist geplant|geht)\b", r"\bzahlen (wir )?am\b",
        r"\b(pagaremos|abonaremos|pagaré)\b", r"\bvamos a pagar\b", r"\bpago (está )?(previsto|programado)\b", r"\bserá pagada\b",
        r"\b(pagheremo|salderemo|pagherò)\b", r"\bpagamento (è )?previsto\b", r"\bverrà pagat", r"\bsarà pagat", r"\bprovvederemo al pagamento\b",
        r"\b(zullen|gaan|zal) .{0,50}(betalen|overmaken)\b", r"\bbetalen (wij |we )?(op|voor)\b", r"\bwordt .{0,40}betaald\b",
        r"\b(pagaremos|liquidaremos)\b", r"\bserá pag[ao]\b", r"\bpagamento (está )?(previsto|agendado)\b",
        r"\b(zapłacimy|uregulujemy|opłacimy)\b", r"\bzostanie (zapłacon|opłacon|uregulowan)", r"\bpłatność (jest )?(zaplanowana|nastąpi)",
        r"\b(vom|voi) plăti\b", r"\bva fi plătit", r"\bplata (este )?(planificată|programată)",
        r"\b(platit ćemo|ćemo platiti|podmirit ćemo)\b", r"\bbit će plać", r"\bplaćanje je (planirano|predviđeno)",
        r"\b(betalar (vi )?(den|på|senast|nästa)|kommer att betala|ska betala|kommer betalas)\b", r"\bbetalning(en)? (sker|är planerad)",
        r"ödeyeceğiz", r"\bödenecek", r"ödeme (planlan|yapılacak)",
        r"(支払|振込|振り込)(い|み)?(ます|予定|いたします)", r"お支払いします",
        r"(将|会|准备|计划)(于|在)?.{0,20}(付款|支付|汇款)", r"付款(安排|计划)在",
    ),
    "document_request": (
        r"\b(send|resend|forward)\b.{0,40}\b(copy|invoice|statement|duplicate)\b", r"\bcopy of (the|your) invoice", r"\b(envoyer|renvoyer|transmettre|adresser)\b.{0,60}\b(copie|facture|duplicata|relevé)", r"\brechnungskopie\b", r"\bkopie der rechnung\b", r"\brechnung (bitte )?(nochmals|erneut) (zu)?senden\b",
        r"\bcopia de la factura\b", r"\bcopia della fattura\b", r"\bkopie van de factuur\b", r"\bcópia da fatura\b", r"\bkopi[aęi] faktury\b", r"\bcopia facturii\b", r"\bkopij[ua] računa\b", r"\bfakturakopia\b", r"\bkopia av fakturan\b", r"fatura(nın)? (kopyası|sureti)", r"請求書.{0,10}(再送|再発行|コピー)", r"发票.{0,6}(副本|复印件|再发)",
    ),
    "wrong_person": (
        r"\bwrong (person|address|recipient)\b", r"\bno longer (work|with|at|employed)", r"\bnot (the right|responsible|in charge)\b", r"\bhas left (the|our) company\b",
        r"\bmauvais(e)? (interlocuteur|destinataire|adresse|personne)", r"\bne travaille plus\b", r"\ba quitté (la|notre) (société|entreprise)", r"\bpas (la bonne personne|le bon interlocuteur)\b",
        r"\bfalsche(r|n)? (ansprechpartner|person|adresse|empfänger)", r"\bnicht (mehr )?(zuständig|im unternehmen)\b", r"\bpersona equivocada\b", r"\bya no trabaja\b", r"\bpersona sbagliata\b", r"\bnon lavora più\b", r"\bverkeerde (persoon|adres|contactpersoon)", r"\bniet meer werkzaam\b",
        r"\bpessoa errada\b", r"\bjá não trabalha\b", r"\bnão trabalha mais\b", r"\bniewłaściw[aye] (osob|adres)", r"\bnie pracuje już\b", r"\bpersoan[aă] greșită\b", r"\bnu mai lucrează\b", r"\bpogrešn[aue] osob", r"\bviše ne radi\b", r"\bfel (person|adress|mottagare)\b", r"\barbetar inte (längre|kvar)\b",
        r"yanlış kişi", r"artık (burada )?çalışmıyor", r"担当者?(では|が(違|変))", r"退職(し|いた)", r"不是负责人", r"已(经)?离职",
    ),
    "out_of_office": (
        r"\bout of (the )?office\b", r"\bon (annual )?leave\b", r"\babsent(e)? (du|jusqu|de|until)", r"\b(absence|réponse automatique)\b", r"\babwesen", r"\bim urlaub\b", r"\bfuera de la oficina\b", r"\bfuori (sede|ufficio)\b", r"\bafwezig", r"\bfora do escritório\b", r"\bausente\b",
        r"\bpoza biurem\b", r"\bna urlopie\b", r"\bîn concediu\b", r"\bizvan ureda\b", r"\bna godišnjem\b", r"\bfrånvarande\b", r"\bpå semester\b", r"ofis dışında", r"\bizinde", r"不在(に|の|です)", r"休暇", r"外出", r"休假",
    ),
}  # fmt: skip

"""The catalogue of refusal codes: why a final transaction changed nothing. A code is never reused.

Each has a reason and advice, in English and Japanese, since citizens read them too.
"""

from enum import IntEnum
from typing import NamedTuple


class Code(IntEnum):
    """Codes of receipts; 0 is ok."""

    OK = 0
    ACCOUNT_UNKNOWN = 100
    ACCOUNT_FROZEN = 101
    SIGNATURES_INSUFFICIENT = 102
    ROLE_MISSING = 103
    CONTROLLER_UNKNOWN = 104
    CONTROLLER_EXISTS = 105
    LAST_OWNER = 106
    CONTROLLERS_TOO_MANY = 107
    KEY_INVALID = 108
    THRESHOLD_UNREACHABLE = 109
    ACCOUNT_NOT_FROZEN = 110
    EXPIRY_PAST = 111
    IDENTITY_UNKNOWN = 200
    IDENTITY_EXISTS = 201
    TWO_OFFICERS_NEEDED = 202
    NULLIFIER_USED = 203
    IDENTITY_REVOKED = 204
    IDENTITY_SUSPENDED = 205
    NOT_THE_REGISTRAR = 206
    LEVEL_TOO_LOW = 207
    TOKEN_UNKNOWN = 300
    TOKEN_EXISTS = 301
    NOT_A_MINTER = 302
    CAP_EXCEEDED = 303
    BALANCE_TOO_LOW = 304
    NOT_TRANSFERABLE = 305
    SELF_TRANSFER = 306
    COLLECTION_UNKNOWN = 400
    COLLECTION_EXISTS = 401
    SCHEMA_INVALID = 402
    VALUE_INVALID = 403
    NOT_A_WRITER = 404
    VERSION_DIFFERS = 405
    INDEX_INVALID = 406
    SERIES_UNKNOWN = 500
    SERIES_EXISTS = 501
    NOT_THE_OWNER = 502
    NOT_THE_LATEST = 503
    VERSION_UNKNOWN = 504
    ALREADY_REVOKED = 505
    NOT_A_MEMBER = 600
    MEMBER_UNKNOWN = 601
    MEMBER_EXISTS = 602
    MEMBERS_TOO_MANY = 603
    MEMBER_NOT_DISTINCT = 604
    LAST_OF_ITS_ROLE = 605
    NOT_AN_ORGANISATION = 606
    PARAMETER_INVALID = 607
    CHANGE_EMPTY = 608
    CHANGE_UNDER_WAY = 609
    NO_SUCH_CHANGE = 610
    PROPOSAL_UNKNOWN = 611
    PROPOSAL_CLOSED = 612
    ALREADY_APPROVED = 613
    ALREADY_READY = 614
    EVIDENCE_INVALID = 615
    EVIDENCE_KNOWN = 616
    FULL_NODE_UNKNOWN = 617
    FULL_NODES_TOO_MANY = 618
    TEXT_INVALID = 900
    NAME_TOO_LONG = 901


class CodeText(NamedTuple):
    """What a code says: the reason and what to do, in English and in Japanese."""

    reason_en: str
    next_en: str
    reason_ja: str
    next_ja: str


CATALOGUE: dict[Code, CodeText] = {
    Code.OK: CodeText("done", "", "完了しました", ""),
    Code.ACCOUNT_UNKNOWN: CodeText(
        "there is no such account",
        "check the address, or ask a sponsor to open it",
        "そのアカウントはありません",
        "アドレスを確かめるか、スポンサーに開設を依頼してください",
    ),
    Code.ACCOUNT_FROZEN: CodeText(
        "the account is frozen",
        "have its owners or a registrar's counter thaw it",
        "アカウントは凍結されています",
        "所有者または窓口で解除してください",
    ),
    Code.SIGNATURES_INSUFFICIENT: CodeText(
        "the signatures do not reach the account's threshold",
        "sign with more of its controllers",
        "署名がアカウントのしきい値に足りません",
        "ほかの管理鍵でも署名してください",
    ),
    Code.ROLE_MISSING: CodeText(
        "the acting account lacks the role that this needs",
        "act for an account that has the role",
        "この操作に必要な役割がありません",
        "役割を持つアカウントで行ってください",
    ),
    Code.CONTROLLER_UNKNOWN: CodeText(
        "the account has no such controller",
        "look the controllers up with account_get",
        "その管理鍵は登録されていません",
        "account_get で管理鍵を確かめてください",
    ),
    Code.CONTROLLER_EXISTS: CodeText(
        "the key is a controller of the account already",
        "choose another key",
        "その鍵はすでに登録されています",
        "別の鍵を選んでください",
    ),
    Code.LAST_OWNER: CodeText(
        "the last owner that never expires cannot be removed",
        "add another owner first",
        "最後の所有者は外せません",
        "先に別の所有者を加えてください",
    ),
    Code.CONTROLLERS_TOO_MANY: CodeText(
        "the account has as many controllers as it may",
        "remove one first",
        "管理鍵の数が上限です",
        "先に一つ外してください",
    ),
    Code.KEY_INVALID: CodeText(
        "the public key is not one that signatures can be trusted with",
        "make a new key",
        "公開鍵が正しくありません",
        "新しい鍵を作ってください",
    ),
    Code.THRESHOLD_UNREACHABLE: CodeText(
        "the owners could not reach the thresholds of the account",
        "lower the thresholds or add owners",
        "所有者だけではしきい値に届きません",
        "しきい値を下げるか所有者を加えてください",
    ),
    Code.ACCOUNT_NOT_FROZEN: CodeText(
        "the account is not frozen",
        "nothing needs to be done",
        "アカウントは凍結されていません",
        "何もする必要はありません",
    ),
    Code.EXPIRY_PAST: CodeText(
        "the expiry lies in the past",
        "choose a later one",
        "期限が過去です",
        "先の日時を選んでください",
    ),
    Code.IDENTITY_UNKNOWN: CodeText(
        "no level is bound to the account",
        "have a registrar bind it",
        "本人確認の登録がありません",
        "登録窓口で登録してください",
    ),
    Code.IDENTITY_EXISTS: CodeText(
        "a level is bound to the account already",
        "renew it, or revoke it first",
        "すでに本人確認が登録されています",
        "更新するか、先に取り消してください",
    ),
    Code.TWO_OFFICERS_NEEDED: CodeText(
        "levels 3 and 4 need two officers of the registrar",
        "have a second officer sign",
        "レベル3と4には職員二名の署名が必要です",
        "もう一名の職員も署名してください",
    ),
    Code.NULLIFIER_USED: CodeText(
        "this person is registered for the programme already",
        "find the account that holds it",
        "この方はすでに登録済みです",
        "登録済みのアカウントを確かめてください",
    ),
    Code.IDENTITY_REVOKED: CodeText(
        "the binding was revoked",
        "bind the account anew",
        "登録は取り消されています",
        "改めて登録してください",
    ),
    Code.IDENTITY_SUSPENDED: CodeText(
        "the binding is suspended already",
        "renew it to end the suspension",
        "登録はすでに停止中です",
        "更新すると再開します",
    ),
    Code.NOT_THE_REGISTRAR: CodeText(
        "another registrar made the binding",
        "ask that registrar",
        "別の登録機関による登録です",
        "その登録機関に依頼してください",
    ),
    Code.LEVEL_TOO_LOW: CodeText(
        "the account's level is lower than the policy asks for",
        "have a registrar raise or renew it",
        "本人確認レベルが足りません",
        "登録窓口でレベルを上げるか更新してください",
    ),
    Code.TOKEN_UNKNOWN: CodeText(
        "there is no such token class",
        "check its name",
        "そのトークンはありません",
        "名前を確かめてください",
    ),
    Code.TOKEN_EXISTS: CodeText(
        "a token class of this name exists",
        "choose another name",
        "同じ名前のトークンがあります",
        "別の名前を選んでください",
    ),
    Code.NOT_A_MINTER: CodeText(
        "the account may not mint this class",
        "ask one of its minters",
        "このトークンを発行する権限がありません",
        "発行者に依頼してください",
    ),
    Code.CAP_EXCEEDED: CodeText(
        "the supply would exceed the cap of the class",
        "mint less",
        "発行上限を超えます",
        "発行量を減らしてください",
    ),
    Code.BALANCE_TOO_LOW: CodeText(
        "the balance is lower than the amount",
        "give less",
        "残高が足りません",
        "数量を減らしてください",
    ),
    Code.NOT_TRANSFERABLE: CodeText(
        "the class is not transferable",
        "it stays with its holder",
        "このトークンは譲渡できません",
        "所有者のもとに残ります",
    ),
    Code.SELF_TRANSFER: CodeText(
        "sender and receiver are one account",
        "choose another receiver",
        "送り手と受け手が同じです",
        "別の受け手を選んでください",
    ),
    Code.COLLECTION_UNKNOWN: CodeText(
        "there is no such collection",
        "check its name",
        "そのコレクションはありません",
        "名前を確かめてください",
    ),
    Code.COLLECTION_EXISTS: CodeText(
        "a collection of this name exists",
        "choose another name",
        "同じ名前のコレクションがあります",
        "別の名前を選んでください",
    ),
    Code.SCHEMA_INVALID: CodeText(
        "the schema uses what the subset does not have",
        "write it as docs/ledger.md says",
        "スキーマが正しくありません",
        "docs/ledger.md に従ってください",
    ),
    Code.VALUE_INVALID: CodeText(
        "the value does not fit the schema or is not canonical JSON",
        "look at the named field",
        "値がスキーマに合わないか、正規の JSON ではありません",
        "示された項目を確かめてください",
    ),
    Code.NOT_A_WRITER: CodeText(
        "the account may not write to this collection",
        "ask the owner of the collection",
        "このコレクションに書き込む権限がありません",
        "管理者に依頼してください",
    ),
    Code.VERSION_DIFFERS: CodeText(
        "the record has another version than expected",
        "read it again and decide anew",
        "記録の版が想定と異なります",
        "読み直してやり直してください",
    ),
    Code.INDEX_INVALID: CodeText(
        "an index names a field that cannot be indexed",
        "index top-level strings, integers or booleans",
        "索引にできない項目です",
        "最上位の文字列・整数・真偽値を選んでください",
    ),
    Code.SERIES_UNKNOWN: CodeText(
        "there is no such document series",
        "register it first",
        "その文書系列はありません",
        "先に登録してください",
    ),
    Code.SERIES_EXISTS: CodeText(
        "the document series exists",
        "replace its latest version instead",
        "その文書系列はすでにあります",
        "最新版を置き換えてください",
    ),
    Code.NOT_THE_OWNER: CodeText(
        "another account registered this",
        "ask that account",
        "別のアカウントが登録したものです",
        "登録したアカウントに依頼してください",
    ),
    Code.NOT_THE_LATEST: CodeText(
        "the version to replace is not the latest",
        "look the latest version up",
        "最新版ではありません",
        "最新版を確かめてください",
    ),
    Code.VERSION_UNKNOWN: CodeText(
        "the series has no such version",
        "look its versions up",
        "その版はありません",
        "版を確かめてください",
    ),
    Code.ALREADY_REVOKED: CodeText(
        "the version is revoked already",
        "nothing needs to be done",
        "すでに失効しています",
        "何もする必要はありません",
    ),
    Code.NOT_A_MEMBER: CodeText(
        "only a member of the consortium may do this",
        "act for a member's account",
        "参加機関だけが行えます",
        "参加機関のアカウントで行ってください",
    ),
    Code.MEMBER_UNKNOWN: CodeText(
        "no member has this account",
        "look the members up with members_list",
        "そのアカウントの参加機関はありません",
        "members_list で参加機関を確かめてください",
    ),
    Code.MEMBER_EXISTS: CodeText(
        "the account is a member already",
        "nothing needs to be done",
        "すでに参加機関です",
        "何もする必要はありません",
    ),
    Code.MEMBERS_TOO_MANY: CodeText(
        "the consortium has as many members as it may",
        "remove one first",
        "参加機関の数が上限です",
        "先に一つ外してください",
    ),
    Code.MEMBER_NOT_DISTINCT: CodeText(
        "another member has this name or key",
        "choose another name or make a new key",
        "同じ名前または鍵の参加機関があります",
        "別の名前を選ぶか新しい鍵を作ってください",
    ),
    Code.LAST_OF_ITS_ROLE: CodeText(
        "no other member has a role that the city cannot do without",
        "give another member the role first",
        "必要な役割を持つ参加機関がなくなります",
        "先に別の参加機関に役割を与えてください",
    ),
    Code.NOT_AN_ORGANISATION: CodeText(
        "only the account of an organisation can become a member",
        "open an account of that kind",
        "組織のアカウントだけが参加機関になれます",
        "組織のアカウントを開設してください",
    ),
    Code.PARAMETER_INVALID: CodeText(
        "there is no such parameter, or the value is outside its domain",
        "see docs/ledger.md for the domains",
        "パラメーターがないか、値が範囲外です",
        "docs/ledger.md で範囲を確かめてください",
    ),
    Code.CHANGE_EMPTY: CodeText(
        "the change would change nothing",
        "nothing needs to be done",
        "変更する内容がありません",
        "何もする必要はありません",
    ),
    Code.CHANGE_UNDER_WAY: CodeText(
        "another accepted change is under way",
        "approve again when it is in force or has lapsed",
        "別の承認済みの変更が進行中です",
        "発効または失効の後に承認し直してください",
    ),
    Code.NO_SUCH_CHANGE: CodeText(
        "no change under way leads to this set of validators",
        "look the change up with changes_list",
        "この検証者集合になる変更はありません",
        "changes_list で変更を確かめてください",
    ),
    Code.PROPOSAL_UNKNOWN: CodeText(
        "there is no such proposal",
        "look the proposals up with changes_list",
        "その提案はありません",
        "changes_list で提案を確かめてください",
    ),
    Code.PROPOSAL_CLOSED: CodeText(
        "the proposal was decided or its time is over",
        "propose the change anew",
        "提案は決定済みか期限切れです",
        "改めて提案してください",
    ),
    Code.ALREADY_APPROVED: CodeText(
        "the member has approved already",
        "wait for the other members",
        "すでに承認済みです",
        "ほかの参加機関の承認を待ってください",
    ),
    Code.ALREADY_READY: CodeText(
        "this readiness is known already",
        "nothing needs to be done",
        "準備完了はすでに届いています",
        "何もする必要はありません",
    ),
    Code.EVIDENCE_INVALID: CodeText(
        "these two votes convict nobody",
        "submit what evidence_list tells, unchanged",
        "この 2 つの投票は誰の不正の証拠にもなりません",
        "evidence_list の内容をそのまま送信してください",
    ),
    Code.EVIDENCE_KNOWN: CodeText(
        "evidence against this validator key is on record already",
        "nothing needs to be done",
        "この検証者鍵に対する証拠はすでに記録されています",
        "何もする必要はありません",
    ),
    Code.FULL_NODE_UNKNOWN: CodeText(
        "there is no such node without a vote",
        "look the nodes up with members_list",
        "投票権のないノードにその名前はありません",
        "members_list でノードを確かめてください",
    ),
    Code.FULL_NODES_TOO_MANY: CodeText(
        "there cannot be more nodes without a vote",
        "remove one first",
        "投票権のないノードの数が上限です",
        "先に一つ外してください",
    ),
    Code.TEXT_INVALID: CodeText(
        "a text has control characters or is not in Unicode normal form C",
        "normalise it and sign again",
        "文字列に制御文字があるか、NFC 正規形ではありません",
        "正規化して署名し直してください",
    ),
    Code.NAME_TOO_LONG: CodeText(
        "a name has more than 192 bytes in UTF-8",
        "choose a shorter one",
        "名前が UTF-8 で 192 バイトを超えています",
        "短い名前にしてください",
    ),
}


class Refusal(Exception):
    """A rule says no: the code, and the object concerned."""

    def __init__(self, code: Code, subject: str = "") -> None:
        super().__init__(code.name)
        self.code = code
        self.subject = subject

import type { technical as English } from '../en/technical.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** "Technical details": the one place where expert words are allowed. */
export const technical: typeof English = {
  technical: {
    devices: 'الأجهزة والمفاتيح',
    signingKey: 'مفتاح التوقيع (Ed25519)',
    messagingKeyHash: 'بصمة مفتاح المراسلة',
    entries: 'المُدخلات',
    recordId: 'معرّف المُدخل',
    pending: 'ليس في كتلة بعد',
    inBlock: (block, n) =>
      `الكتلة ${block}، ${plural(n, { one: 'تأكيد واحد', two: 'تأكيدان', few: '{n} تأكيدات', many: '{n} تأكيدًا', other: '{n} تأكيد' })}`,
    tip: 'أحدث كتلة شوهدت',
    checkYourself: 'تحقق بنفسك',
    checkYourselfHint: 'على أي حاسوب فيه Node.js؛ يسأل البرنامج العقد بنفسه ولا يصدّق أيًا منها.',
    theirNumber: 'جزء الشخص الآخر من رقم الأمان',
    myNumber: 'جزؤك من رقم الأمان',
    create: 'CREATE: الحساب وأول جهاز',
    add: 'ADD: جهاز آخر',
    revoke: 'REVOKE: جهاز أُزيل',
    rotate: 'ROTATE: مفتاح مراسلة جديد',
    nameCommit: 'NAME: حُجز',
    nameReveal: 'NAME: كُشف',
    nameRelease: 'NAME: أُعيد',
    recover: 'RECOVER: استُبدلت كل الأجهزة',
    setRecovery: 'SETRECOVERY: صُنع رمز استرداد أو سُحب',
    nodeRecord: 'NODE: أُعلن',
    vouch: 'VOUCH: قُبل مُشغِّل',
    otherRecord: 'مُدخل آخر',
    accountId: 'معرّف الحساب',
    deviceId: 'معرّف الجهاز',
    network: 'الشبكة',
    transaction: 'معرّف المعاملة',
    block: 'ارتفاع الكتلة',
    confirmations: 'التأكيدات',
    confirmationsSettling: n => `${n} (ما زال يستقر)`,
    confirmationsSafe: n => `${n} (يكاد يستحيل التراجع عنه)`,
    trust: 'مستوى الثقة',
    L0: 'L0: كلام عقدة واحدة',
    L1: 'L1: حُسبت بصمة المعاملة وفُحصت التواقيع على هذا الجهاز، من مصدر واحد',
    L2: 'L2: مثل L1، واتفق مُشغِّلان على المعاملة والكتلة',
    checkedAt: 'آخر فحص',
    none: 'لا شيء بعد',
    release: 'الإصدار (SHA-256 لبيانه)',
    releaseHint:
      'ما يقدّمه هذا العنوان الآن. لا يستطيع تطبيق أن يشهد لنفسه: قارنه بالإصدار المنشور من حاسوب آخر بالأمر volo-verify bundle.',
    node: 'العقدة المتصلة',
    epoch: 'حقبة التوزيع',
    listedNodes: 'العقد المدرجة',
    networkId: 'معرّف الشبكة'
  }
}

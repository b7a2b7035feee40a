import type { accounts as English } from '../en/accounts.ts'
import { isolated } from '../isolated.ts'

/** Web sites and accounts elsewhere that people link; reports. */
export const accounts: typeof English = {
  accounts: {
    title: 'حسابات مرتبطة',
    lead: 'سجّل الدخول في مكان آخر، فيرى من لديهم ملفك أن الحساب هناك لك. أنت تختار ما يرونه.',
    link: provider => `اربط ${isolated(provider)}`,
    none: 'لا شيء مرتبط.',
    unlink: what => `أزل ${isolated(what)}`,
    shown: what => `يرى الآخرون ${isolated(what)}`,
    anAccount: provider => `حساب لدى ${isolated(provider)}`,
    siteLinked: 'الموقع نفسه يقول ذلك. يستطيع أي شخص التحقق.',
    siteNotLinked: 'الموقع لا يقول ذلك.',
    siteUnknown: 'تعذّر سؤال الموقع الآن.',
    accountSaid: (place, when) =>
      `رأى ${isolated(place)} تسجيل الدخول في ${isolated(when)}. لا يستطيع أحد غيره التحقق من ذلك.`,
    accountOld: (place, when) => `رأى ${isolated(place)} تسجيل الدخول في ${isolated(when)}. مضى على ذلك وقت طويل.`,
    accountUnlisted: 'يقول ذلك مكان ليس من هذه الشبكة. لا تعتمد عليه.',
    cancelled: 'أُلغي تسجيل الدخول. لم يُربط شيء.',
    failed: 'لم ينجح تسجيل الدخول. لم يُربط شيء.'
  },
  report: {
    open: 'إبلاغ…',
    title: name => `الإبلاغ عن ${isolated(name)}`,
    lead: operator =>
      `يصل بلاغك إلى مشغّل ${isolated(operator)}، ويستطيع قراءة ما تكتبه والرسائل التي تختارها. لا يصل إلى أحد غيره، ولا يُخبَر الشخص بذلك.`,
    text: 'ما الموضوع؟',
    messages: 'الرسائل التي تسلّمها',
    noMessages: 'لا توجد رسائل من هذا الشخص على هذا الجهاز.',
    send: 'أرسل البلاغ',
    sending: 'جارٍ الإرسال…',
    sent: 'وصل بلاغك إلى المشغّل.',
    blockToo: 'يمكنك أيضًا حظر هذا الشخص: يُهمَل ما يرسله.'
  },
  leave: {
    title: 'المغادرة',
    lead: 'يمكنك إعادة اسم المستخدم أو حذف حسابك.',
    releaseName: 'إعادة اسم المستخدم…',
    releaseTitle: username => `إعادة ${isolated(`@${username}`)}؟`,
    releaseText: 'بعد ذلك يستطيع أي شخص أخذه، ويمكنك اختيار اسم آخر. تستمر محادثاتك.',
    releaseForGood: 'أعده',
    deleteAccount: 'حذف الحساب…',
    deleteTitle: 'حذف حسابك؟',
    deleteText:
      'تُزال صورتك وملفاتك ونسخك الاحتياطية من الشبكة، ويُعاد اسم المستخدم، وتُزال كل أجهزتك، وهذا الجهاز آخرها. ما وصل إلى الآخرين يبقى لديهم. وما على هذا الجهاز يبقى حتى تمحو بيانات هذا الموقع.',
    deleteForGood: 'احذف نهائيًا',
    stays:
      'يحتفظ السجل العام بما لديه إلى الأبد ولا يستطيع أحد إزالته: أنه كان هناك حساب، والمفاتيح العامة لأجهزته، ومتى جاء كل جهاز وذهب، وصورة مموّهة من اسم المستخدم.',
    working: 'جارٍ التنفيذ…'
  }
}

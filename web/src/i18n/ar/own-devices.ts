import type { ownDevices as English } from '../en/own-devices.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** The devices of the own account, and the history that a new one gets. */
export const ownDevices: typeof English = {
  devices: {
    title: 'الأجهزة',
    open: 'أجهزة حسابك',
    intro: 'تستطيع هذه الأجهزة قراءة رسائلك والكتابة باسمك. أزل ما ضاع منها أو سُرق أو ليس لك.',
    thisDevice: 'هذا الجهاز',
    anotherDevice: 'جهاز آخر',
    first: 'أول جهاز في الحساب',
    recovered: 'أُضيف برمز الاسترداد',
    addedBy: name => `أضافه ${isolated(name)}`,
    lastSeen: ago => `آخر ظهور ${ago}`,
    seenNow: 'آخر ظهور خلال الساعة الأخيرة',
    name: 'اسم الجهاز',
    rename: 'إعادة تسمية',
    renameNamed: name => `إعادة تسمية ${isolated(name)}`,
    removedDevices: n =>
      plural(n, {
        one: 'جهاز مُزال',
        two: 'جهازان مُزالان',
        few: '{n} أجهزة مُزالة',
        many: '{n} جهازًا مُزالًا',
        other: '{n} جهاز مُزال'
      }),
    other: n => `الجهاز ${n}`,
    adding: 'تجري إضافته إلى السجل العام',
    since: when => `في السجل العام منذ ${when}`,
    settling: 'ما زال يستقر',
    removing: 'أُزيل. يجري إبلاغ السجل العام.',
    removedOn: when => `أُزيل في ${when}`,
    removedSettling: 'ما زالت الإزالة تستقر.',
    remove: 'إزالة',
    removeNamed: name => `إزالة ${isolated(name)}`,
    confirmTitle: name => `إزالة «${isolated(name)}»؟`,
    confirmOther:
      'لن يستطيع بعدها الإرسال أو الاستقبال باسمك نهائيًا. تبقى عليه الرسائل الموجودة فيه. وترى جهات اتصالك أنه أُزيل.',
    confirmThis:
      'هذا هو الجهاز الذي تستخدمه. لن يستطيع بعدها الإرسال أو الاستقبال نهائيًا: للكتابة من جديد تحتاج إلى جهاز آخر في حسابك. تبقى الرسائل عليه حتى تمحوها هنا.',
    confirmLast: 'هو جهازك الوحيد. بدونه لا يعيد هذا الحساب إلا رمز استرداد.',
    confirm: 'إزالة نهائية',
    removingNow: 'جارٍ الإزالة…',
    keep: 'إبقاء',
    removedHere:
      'أُزيل هذا الجهاز من حسابك. لم يعد بإمكانه الإرسال أو الاستقبال. تبقى رسائله عليه؛ ولمحوها امسح ما يحفظه متصفحك لهذا الموقع.',
    unsent: n =>
      plural(n, {
        one: 'لم تُرسل رسالة واحدة.',
        two: 'لم تُرسل رسالتان.',
        few: 'لم تُرسل {n} رسائل.',
        many: 'لم تُرسل {n} رسالة.',
        other: 'لم تُرسل {n} رسالة.'
      }),
    unsentHint: 'انسخ ما تحتاجه وأرسله من جهاز آخر.',
    copyUnsent: 'نسخ الرسائل',
    failed: 'تعذّر فتح قائمة الأجهزة.'
  },

  history: {
    waiting: 'تأتي محادثاتك بعد ذلك، ما دام Volo مفتوحًا على جهازك الآخر.',
    coming: (chats, total) => `المحادثات: ${chats} من ${total}`,
    stopped: (chats, total) =>
      `أُزيل الجهاز الذي كان يرسل محادثاتك قبل أن تصل كلها: وصلت المحادثات ${chats} من ${total}. ولن يصل الباقي.`,
    count: n =>
      plural(n, {
        one: 'رسالة واحدة حتى الآن',
        two: 'رسالتان حتى الآن',
        few: '{n} رسائل حتى الآن',
        many: '{n} رسالة حتى الآن',
        other: '{n} رسالة حتى الآن'
      }),
    shipped: (chats, total) => `يحصل على محادثاتك: ${chats} من ${total}`
  }
}

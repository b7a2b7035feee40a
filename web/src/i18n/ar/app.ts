import type { app as English } from '../en/app.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** Words that every screen uses, and those of what lies around the screens. */
export const app: typeof English = {
  common: {
    tryAgain: 'حاول مرة أخرى',
    back: 'رجوع',
    close: 'إغلاق',
    later: 'لاحقًا',
    copy: 'نسخ',
    copied: 'تم النسخ',
    you: 'أنت',
    loading: 'جارٍ التحميل',
    notesToSelf: 'ملاحظات لنفسي',
    unnamed: 'شخص بلا اسم',
    atName: username => isolated(`@${username}`),
    and: ' · '
  },

  navigation: {
    label: 'القائمة الرئيسية',
    chats: 'المحادثات',
    people: 'الأشخاص',
    you: 'أنت',
    skip: 'انتقل إلى المحادثة'
  },

  status: {
    offline: 'لا يوجد اتصال. الرسائل تنتظر هنا.',
    connecting: 'جارٍ الاتصال…',
    sentWaiting: n =>
      plural(n, {
        zero: 'لم تُرسل أي رسالة منتظرة',
        one: 'أُرسلت رسالة منتظرة واحدة',
        two: 'أُرسلت رسالتان منتظرتان',
        few: 'أُرسلت {n} رسائل منتظرة',
        many: 'أُرسلت {n} رسالة منتظرة',
        other: 'أُرسلت {n} رسالة منتظرة'
      }),
    adding: 'تجري إضافتك إلى السجل العام… يمكنك المراسلة من الآن',
    nameTaken: 'سبقك شخص آخر إلى اسم المستخدم هذا.',
    chooseAnother: 'اختر اسمًا آخر',
    deviceRemoved: 'أُزيل هذا الجهاز من حسابك. لم يعد بإمكانه الإرسال أو الاستقبال.',
    more: 'المزيد'
  },

  announce: {
    message: (from, text) => `${isolated(from)}: ${isolated(text)}`,
    messages: (n, from) =>
      plural(n, {
        one: `رسالة جديدة من ${isolated(from)}`,
        two: `رسالتان جديدتان من ${isolated(from)}`,
        few: `{n} رسائل جديدة من ${isolated(from)}`,
        many: `{n} رسالة جديدة من ${isolated(from)}`,
        other: `{n} رسالة جديدة من ${isolated(from)}`
      }),
    newMessages: n =>
      plural(n, {
        one: 'رسالة جديدة',
        two: 'رسالتان جديدتان',
        few: '{n} رسائل جديدة',
        many: '{n} رسالة جديدة',
        other: '{n} رسالة جديدة'
      })
  },

  update: {
    ready: 'تتوفر نسخة جديدة من Volo.',
    accept: 'حدّث الآن',
    accepting: 'جارٍ التحديث…'
  },

  switcher: {
    title: 'الانتقال إلى محادثة',
    placeholder: 'اسم شخص',
    nothing: 'لا توجد محادثة مطابقة.'
  },

  keys: {
    title: 'المفاتيح',
    switchChat: 'الانتقال إلى محادثة',
    previousChat: 'المحادثة السابقة',
    nextChat: 'المحادثة التالية',
    send: 'إرسال الرسالة',
    newLine: 'سطر جديد',
    close: 'إغلاق أو رجوع',
    help: 'هذه القائمة',
    ctrl: 'Ctrl',
    command: '⌘',
    alt: 'Alt',
    shift: 'Shift',
    enter: 'Enter',
    escape: 'Esc'
  },

  notFound: {
    title: 'لا شيء هنا',
    text: 'هذا العنوان لا يقود إلى أي مكان في Volo. محادثاتك في مكانها.',
    home: 'إلى محادثاتك'
  },

  startFailed: {
    title: 'تعذّر تشغيل Volo هنا',
    beyondRepair:
      'يمكنك البدء من جديد في هذا المتصفح. يستمر حسابك على أجهزتك الأخرى؛ وإن لم يكن لك جهاز آخر فإن رمز الاسترداد يعيده.',
    slow: 'ما زال Volo يُفتح. إن كان مفتوحًا في علامة تبويب أخرى بنسخة أقدم، فأغلق تلك العلامة.'
  }
}

import type { backup as English } from '../en/backup.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** Backups: made on a device of the account, brought back on a new one. */
export const backup: typeof English = {
  backup: {
    title: 'النسخة الاحتياطية',
    lead: 'محادثاتك وملفاتك، مشفّرة بعبارة مرور لا يعرفها سواك، وتحفظها الشبكة.',
    none: 'لا توجد نسخة احتياطية بعد. إن ضاع هذا الجهاز ضاعت محادثاتك معه.',
    last: (when, what, size) => `آخر نسخة احتياطية: ${when}. ${what}، ${size}.`,
    what: (messages, chats) =>
      `${plural(messages, { one: 'رسالة واحدة', two: 'رسالتان', few: '{n} رسائل', many: '{n} رسالة', other: '{n} رسالة' })} من ${plural(chats, { one: 'محادثة واحدة', two: 'محادثتين', few: '{n} محادثات', many: '{n} محادثة', other: '{n} محادثة' })}`,
    copies: n =>
      plural(n, {
        one: 'وهي محفوظة في موضع واحد.',
        two: 'وهي محفوظة في موضعين.',
        few: 'وهي محفوظة في {n} مواضع.',
        many: 'وهي محفوظة في {n} موضعًا.',
        other: 'وهي محفوظة في {n} موضع.'
      }),
    passphrase: 'عبارة المرور',
    passphraseHint: 'ثمانية أحرف على الأقل. دوّنها: بدونها لا يستطيع أحد فتح النسخة، ولا حتى Volo.',
    suggest: 'اقترح عبارة',
    change: 'عبارة مرور أخرى',
    changeHint: 'اترك الحقل فارغًا للإبقاء على العبارة الحالية.',
    show: 'إظهار',
    hide: 'إخفاء',
    now: 'انسخ الآن',
    working: 'جارٍ النسخ… يمكنك متابعة استخدام Volo.',
    check: 'افحصها الآن',
    checking: 'تجري قراءة النسخة كلها…',
    checked: what => `النسخة الاحتياطية كاملة: ${what}.`,
    open: 'فتح النسخة الاحتياطية',

    choice: 'ما الذي يُنسخ',
    automatic: 'النسخ تلقائيًا، بعد فترة هدوء ومرة في اليوم',
    next: when => `التالية: ${when}.`,
    withFiles: 'الصور والملفات والرسائل الصوتية أيضًا',
    withoutFiles: 'بدونها لا تعود الملفات إلا ما دامت الشبكة تحفظها: 30 يومًا.',
    chats: (chosen, all) => (chosen === all ? 'كل المحادثات' : `المحادثات: ${chosen} من ${all}`),
    failedByItself: 'لم تنجح آخر نسخة احتياطية. النسخة التي قبلها كاملة، وسيحاول Volo مجددًا.',
    bringBack: 'استعادة المحادثات من النسخة',
    bringBackHint: 'بعبارة مرورها. وما هو موجود هنا يبقى كما هو.',
    brought: messages =>
      messages === 0
        ? 'كل ما في النسخة موجود هنا.'
        : plural(messages, {
            one: 'عادت رسالة واحدة.',
            two: 'عادت رسالتان.',
            few: 'عادت {n} رسائل.',
            many: 'عادت {n} رسالة.',
            other: 'عادت {n} رسالة.'
          }),
    bringing: 'تجري استعادة محادثاتك… يمكنك متابعة استخدام Volo.',

    readOnly: 'هذه نسخة احتياطية مفتوحة للقراءة. ليست جهازًا في حسابك، ولا يمكنها الإرسال أو الاستقبال.',

    restore: 'استعادة نسخة احتياطية',
    restoreTitle: 'استعد محادثاتك',
    restoreLead: 'تحتاج إلى اسم المستخدم وعبارة مرور نسختك الاحتياطية.',
    code: 'رمز الاسترداد، إن كان لديك',
    codeHint: 'به يصبح هذا جهازًا في حسابك وتنتهي كل الأجهزة الأخرى. وبدونه يمكنك قراءة محادثاتك هنا فقط.',
    restoring: 'يجري البحث عن نسختك الاحتياطية…',
    start: 'استعادة'
  }
}

import type { files as English } from '../en/files.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** What kind a file is, for those who do not read media types. */
const KINDS: readonly [begins: string, words: string][] = [
  ['image/svg', 'رسم'],
  ['image/', 'صورة'],
  ['video/', 'فيديو'],
  ['audio/', 'صوت'],
  ['application/pdf', 'PDF'],
  ['application/zip', 'أرشيف'],
  ['application/gzip', 'أرشيف'],
  ['text/html', 'صفحة ويب'],
  ['text/', 'نص']
]

/** Pictures, files and voice notes in chats. */
export const files: typeof English = {
  files: {
    attach: 'إضافة ملفات',
    chosen: 'ملفات للإرسال',
    leaveOut: name => `استبعاد ${isolated(name)}`,
    keepsNotes: 'يُرسل كما هو: قد يكشف مكان التقاطه.',
    dropHere: 'أفلت الملفات هنا لإرسالها.',
    sendFailed: 'لم تُرسل.',
    kind: (type, size) => `${KINDS.find(([begins]) => type.startsWith(begins))?.[1] ?? 'ملف'}، ${isolated(size)}`,
    openPicture: name => `فتح الصورة ${isolated(name)}`,
    album: n => plural(n, { two: 'صورتان', few: '{n} صور', many: '{n} صورة', other: '{n} صورة' }),
    pictureMenu: name => `قائمة الصورة ${isolated(name)}`,
    save: name => `حفظ ${isolated(name)}`,
    saveShort: 'حفظ',
    stop: name => `إيقاف ${isolated(name)}`,
    stopShort: 'إيقاف',
    uploading: name => `جارٍ إرسال ${isolated(name)}`,
    fetching: name => `جارٍ جلب ${isolated(name)}`,
    zoomIn: 'تكبير',
    zoomOut: 'تصغير',
    record: 'تسجيل رسالة صوتية',
    recording: time => `جارٍ التسجيل، ${time}`,
    sendVoice: 'إرسال الرسالة الصوتية',
    dropVoice: 'حذف الرسالة الصوتية',
    noMicrophone: 'لا يستطيع Volo استخدام الميكروفون. اسمح به في إعدادات المتصفح.',
    play: time => `تشغيل الرسالة الصوتية، ${time}`,
    pause: 'إيقاف مؤقت',
    position: 'الموضع في الرسالة الصوتية',
    speed: rate => `السرعة ${rate}. تغييرها`,
    voiceNote: 'رسالة صوتية',

    storageTitle: 'التخزين',
    storageLead: 'تبقى الصور والملفات التي أرسلتها أو فتحتها على هذا الجهاز إلى أن تحررها. وتبقى الرسائل.',
    storageEmpty: 'لا توجد ملفات على هذا الجهاز.',
    storageTotal: size => `تشغل الملفات ${isolated(size)} على هذا الجهاز.`,
    storageOf: (n, size) =>
      `${plural(n, { one: 'ملف واحد', two: 'ملفان', few: '{n} ملفات', many: '{n} ملفًا', other: '{n} ملف' })}، ${isolated(size)}`,
    otherChat: 'محادثة لم تعد موجودة',
    free: 'تحرير',
    freeOf: chat => `تحرير ملفات ${isolated(chat)}`,
    freeHint: 'تحفظ الشبكة الملفات 30 يومًا، وتحفظها نسختك الاحتياطية ما دامت فيها. وما عداها يُفقد نهائيًا.',
    freeNow: 'إزالة الملفات',
    keepFiles: 'الإبقاء عليها',
    exportTitle: 'نسخة من محادثاتك',
    exportLead:
      'صفحة واحدة فيها نصوص كل المحادثات على هذا الجهاز، تُفتح دون Volo. تُذكر الملفات فيها ولا تُضمَّن. ومن لديه الصفحة يستطيع قراءتها.',
    exportNow: 'حفظ الصفحة',
    exporting: (done, all) => `المحادثة ${done + 1} من ${all}…`
  }
}

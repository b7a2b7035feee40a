import type { invites as English } from '../en/invites.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** Bringing people in, and answering those who write first. */
export const invites: typeof English = {
  invites: {
    title: 'أنت مدعو',
    invitesYou: 'يدعوك إلى المراسلة عبر Volo.',
    nameless: 'شخص ما',
    looking: 'تُقرأ الدعوة…',
    over: 'استُخدمت هذه الدعوة أو سُحبت أو قدُمت. اطلب دعوة أخرى.',
    unknown: 'تعذّر الآن التحقق من صلاحية هذه الدعوة.',
    accepting: 'يصبح كل منكما في جهات اتصال الآخر.',
    accept: 'قبول',
    isAccepting: 'جارٍ القبول…',
    notNow: 'ليس الآن',
    afterSignUp: 'يصبح كل منكما في جهات اتصال الآخر فور تسجيلك.',
    make: 'ادعُ شخصًا',
    making: 'يُصنع رابط…',
    link: 'رابط لشخص واحد',
    qr: 'الدعوة كرمز QR',
    goodUntil: when => `صالح حتى ${when}.`,
    mail: 'أو بالبريد الإلكتروني',
    mailHint: 'يُستخدم العنوان لهذه الرسالة ولا يُحفظ.',
    send: 'إرسال',
    mailed: address => `أُرسلت إلى ${isolated(address)}.`
  },

  requests: {
    title: n =>
      plural(n, {
        one: 'طلب مراسلة واحد',
        two: 'طلبا مراسلة',
        few: '{n} طلبات مراسلة',
        many: '{n} طلب مراسلة',
        other: '{n} طلب مراسلة'
      }),
    list: 'طلبات المراسلة',
    question: name => `${isolated(name)} ليس من جهات اتصالك. لا يُرى هناك إلا أن الرسالة أُرسلت.`,
    groupQuestion: name => `أُضفتَ إلى المجموعة «${isolated(name)}».`,
    accept: 'قبول',
    ignore: 'تجاهل',
    block: 'حظر',
    word: 'كلمة التواصل الأول',
    wordHint:
      'إن حددت كلمة، يوضع جانبًا ما يكتبه الغرباء الذين لا يعرفونها، ولا يُخبَرون بذلك. أنت تقولها لمن يجوز له أن يراسلك.',
    wordSet: 'تحديد الكلمة',
    wordClear: 'بلا كلمة',
    sayWord: 'قيلت لي كلمة…',
    sayWordLabel: 'الكلمة التي قيلت لك',
    sayWordSend: 'قلها',
    wordSaid: 'تُرسل قبل رسالتك الأولى.'
  },

  contact: {
    add: 'إضافة إلى جهات الاتصال',
    remove: 'إزالة من جهات الاتصال',
    mute: 'كتم',
    unmute: 'إلغاء الكتم',
    block: 'حظر',
    unblock: 'إلغاء الحظر',
    blocked: name => `حظرتَ ${isolated(name)}. يُهمل ما يُرسل من هناك، ولا يُخبَر الشخص بذلك.`,
    nickname: 'كيف تسمّي هذا الشخص',
    nicknameHint: 'لا يراه سواك.',
    save: 'حفظ',
    contacts: 'جهات الاتصال'
  },

  codes: {
    own: 'عرض رمزك',
    ownOf: username => `رمز QR يقود إلى ${isolated(`@${username}`)}`,
    ownHint: 'حين يُمسح في Volo أو بأي كاميرا يقود إليك. فيه اسم المستخدم ولا شيء سري.',
    copyLink: 'نسخ كرابط',
    scan: 'مسح رمز',
    scanHint: 'رمز شخص أو دعوة أو مجموعة.',
    scanner: {
      noPicture: 'لا يمكن قراءة رمز في هذه الصورة. استخدم صورة واضحة أو اكتب اسم المستخدم.',
      otherCode: 'لا يقود هذا الرمز إلى شخص أو دعوة أو مجموعة.',
      cameraForbidden: 'لا يسمح هذا المتصفح لـ Volo باستخدام الكاميرا. اسمح بها لهذا العنوان أو اكتب اسم المستخدم.',
      cameraMissing: 'لا توجد كاميرا يمكن استخدامها. استخدم صورة للرمز أو اكتب اسم المستخدم.',
      cameraFailed: 'الكاميرا لا تعمل الآن. ربما يستخدمها برنامج آخر. استخدم صورة أو اكتب اسم المستخدم.'
    }
  }
}

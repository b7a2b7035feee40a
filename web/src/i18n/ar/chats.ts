import type { GroupLineKind } from '../../../../peer/peer-api.ts'
import type { chats as English } from '../en/chats.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

const YOU = 'أنت'
/** The verb for the reader, or the verb and the name of another person. */
const did = (one: string, byYou: string, byOther: string): string =>
  one === YOU ? byYou : `${byOther} ${isolated(one)}`

/** Chats, and finding people to write to. */
export const chats: typeof English = {
  chats: {
    title: 'المحادثات',
    list: 'قائمة المحادثات',
    search: 'ابحث في المحادثات والرسائل',
    messages: 'الرسائل',
    clearSearch: 'مسح البحث',
    newChat: 'محادثة جديدة',
    empty: 'لا توجد محادثات بعد. اعثر على شخص باسم المستخدم.',
    find: 'اعثر على شخص',
    nothingFound: text => `لا توجد على هذا الجهاز محادثة تطابق «${isolated(text)}».`,
    nothingFoundSince: (text, day) =>
      `لا شيء على هذا الجهاز يطابق «${isolated(text)}». تبدأ رسائله من ${isolated(day)}.`,
    findPerson: text => `ابحث عن ${isolated(`@${text}`)}`,
    youWrote: text => `أنت: ${isolated(text)}`,
    draft: 'مسودة: ',
    unread: n =>
      plural(n, {
        one: 'رسالة غير مقروءة',
        two: 'رسالتان غير مقروءتين',
        few: '{n} رسائل غير مقروءة',
        many: '{n} رسالة غير مقروءة',
        other: '{n} رسالة غير مقروءة'
      }),
    filters: {
      label: 'عرض',
      all: 'الكل',
      unread: 'غير مقروءة',
      groups: 'المجموعات',
      withoutWord: 'بلا كلمتك',
      archived: 'الأرشيف'
    },
    nothingIn: {
      unread: 'لا شيء غير مقروء.',
      groups: 'لا توجد مجموعات بعد.',
      requests: 'لا توجد طلبات.',
      withoutWord: 'لم يكتب أحد دون كلمتك.',
      archived: 'لا شيء في الأرشيف.'
    },
    menu: title => `المحادثة ${isolated(title)}: القائمة`,
    markRead: 'وضع علامة مقروء',
    pin: 'تثبيت في الأعلى',
    unpin: 'إلغاء التثبيت',
    archive: 'أرشفة',
    unarchive: 'إخراج من الأرشيف',
    pinned: 'مثبّتة',
    muted: 'مكتومة',
    mentioned: n =>
      plural(n, {
        one: 'ذُكرت مرة واحدة',
        two: 'ذُكرت مرتين',
        few: 'ذُكرت {n} مرات',
        many: 'ذُكرت {n} مرة',
        other: 'ذُكرت {n} مرة'
      }),
    noMessages: 'لا توجد رسائل بعد',
    choose: 'اختر محادثة أو ابدأ محادثة جديدة.',
    resize: 'عرض القائمة'
  },

  thread: {
    members: count =>
      plural(count, {
        one: 'عضو واحد',
        two: 'عضوان',
        few: '{n} أعضاء',
        many: '{n} عضوًا',
        other: '{n} عضو'
      }),
    hello: name => `ألقِ التحية. لا يقرأ هذا سواك وسوى ${isolated(name)}.`,
    helloNotes: 'دوّن شيئًا. لا تقرؤه إلا أجهزتك.',
    log: title => `الرسائل مع ${isolated(title)}`,
    logNotes: 'ملاحظاتك',
    details: name => `عن ${isolated(name)}`,
    message: 'رسالة',
    write: name => `اكتب إلى ${isolated(name)}`,
    writeNotes: 'اكتب ملاحظة',
    send: 'إرسال',
    sendHint: 'Enter للإرسال، و Shift+Enter لسطر جديد.',
    tooLong: 'هذه الرسالة طويلة جدًا. قسّمها إلى عدة رسائل.',
    draftNotKept: 'هذا النص أطول من أن يُحفظ عند المغادرة. انسخه إلى مكان آخر ثم اختصره.',
    newest: 'إلى أحدث رسالة',
    newestUnread: n =>
      plural(n, {
        one: 'رسالة جديدة',
        two: 'رسالتان جديدتان',
        few: '{n} رسائل جديدة',
        many: '{n} رسالة جديدة',
        other: '{n} رسالة جديدة'
      }),
    newMessages: 'رسائل جديدة',
    older: 'جارٍ تحميل رسائل أقدم',
    waitingForHint: 'أُرسلت لكنها لم تصل بعد. ستظهر هنا من تلقاء نفسها.',
    unsupported: 'حدّث Volo لرؤية هذه الرسالة.',
    missing: (missing, gone) => {
      if (gone === 0)
        return plural(missing, {
          one: 'في انتظار هذه الرسالة',
          two: 'في انتظار رسالتين',
          few: 'في انتظار {n} رسائل',
          many: 'في انتظار {n} رسالة',
          other: 'في انتظار {n} رسالة'
        })
      if (gone < missing)
        return plural(missing - gone, {
          one: 'في انتظار رسالة؛ وضاعت أخرى',
          two: 'في انتظار رسالتين؛ وضاعت أخرى',
          few: 'في انتظار {n} رسائل؛ وضاعت أخرى',
          many: 'في انتظار {n} رسالة؛ وضاعت أخرى',
          other: 'في انتظار {n} رسالة؛ وضاعت أخرى'
        })
      return plural(missing, {
        one: 'ضاعت هذه الرسالة',
        two: 'ضاعت رسالتان',
        few: 'ضاعت {n} رسائل',
        many: 'ضاعت {n} رسالة',
        other: 'ضاعت {n} رسالة'
      })
    },
    lostHint: 'لم تعد لدى الجهاز الذي أرسلها.',
    notLinked: 'الرسالة أعلاه لا تتبع التي قبلها. ربما أرى مرسلُها الآخرين شيئًا مختلفًا.',
    group: {
      you: YOU,
      youAmongOthers: 'أنت',
      list: (...names) => names.map(isolated).join(' و'),
      lines: {
        asked: () => 'طلبتَ الانضمام إلى مجموعة.',
        created: (one, others, name) =>
          others === ''
            ? `${did(one, 'أنشأتَ', 'أنشأ')} المجموعة «${isolated(name)}».`
            : `${did(one, 'أنشأتَ', 'أنشأ')} المجموعة «${isolated(name)}» مع ${others}.`,
        added: (one, others) => `${did(one, 'أضفتَ', 'أضاف')}: ${others}.`,
        removed: (one, others) => `${did(one, 'أزلتَ', 'أزال')}: ${others}.`,
        left: one => `${did(one, 'غادرتَ', 'غادر')} المجموعة.`,
        promoted: (one, others) => `${did(one, 'عيّنتَ', 'عيّن')} في الإشراف: ${others}.`,
        demoted: (one, others) => `${did(one, 'أعفيتَ', 'أعفى')} من الإشراف: ${others}.`,
        renamed: (one, _others, name) => `${did(one, 'سمّيتَ', 'سمّى')} المجموعة «${isolated(name)}».`,
        described: (one, _others, text) =>
          text === ''
            ? `${did(one, 'أزلتَ', 'أزال')} وصف المجموعة.`
            : `${did(one, 'وصفتَ', 'وصف')} المجموعة: ${isolated(text)}`,
        picture: one => `${did(one, 'غيّرتَ', 'غيّر')} صورة المجموعة.`,
        settings: one => `${did(one, 'غيّرتَ', 'غيّر')} من يحق له إضافة أعضاء وتعديل المجموعة.`,
        undone: one =>
          `تغيير سابق ${one === YOU ? 'منك' : `من ${isolated(one)}`} لا يُحتسب: أنهى مشرف أسبق هذا الدور في الوقت نفسه.`
      } as Record<GroupLineKind, (one: string, others: string, text: string) => string>
    },
    removedByMe: 'جهاز أزلتَه أرسل شيئًا بعد إزالته. لا يُعرض ذلك.',
    removedByThem: 'جهاز أزاله هذا الشخص أرسل شيئًا بعد إزالته. لا يُعرض ذلك.',
    recovered: 'استبدل هذا الشخص كل أجهزته برمز استرداد. قارنا رقم الأمان من جديد.',
    deleted: count =>
      plural(count, {
        one: 'حذفت الشبكة رسالة قبل عودة هذا الجهاز. يطلبها Volo من جديد حيث أمكن.',
        two: 'حذفت الشبكة ما يصل إلى رسالتين قبل عودة هذا الجهاز. يطلبهما Volo من جديد حيث أمكن.',
        few: 'حذفت الشبكة ما يصل إلى {n} رسائل قبل عودة هذا الجهاز. يطلبها Volo من جديد حيث أمكن.',
        many: 'حذفت الشبكة ما يصل إلى {n} رسالة قبل عودة هذا الجهاز. يطلبها Volo من جديد حيث أمكن.',
        other: 'حذفت الشبكة ما يصل إلى {n} رسالة قبل عودة هذا الجهاز. يطلبها Volo من جديد حيث أمكن.'
      }),
    differs: {
      device: (name, device) => `${isolated(name)} (الجهاز ${isolated(device)})`,
      you: 'أنت',
      myDevice: device => `جهازك ${isolated(device)}`,
      history: (who, whose) =>
        `${who}: وصلت إليه رسائل غير التي وصلت إلى هذا الجهاز (المرسِل: ${isolated(whose)}). أحد الجهازين مخدوع.`,
      records: (who, whose) =>
        `${who}: يرى سجلًا عامًّا غير الذي يراه هذا الجهاز (صاحب السجل: ${isolated(whose)}). قارنا أرقام الأمان.`,
      roster: who => `${who}: يرى في هذه المجموعة أعضاء غير الذين يراهم هذا الجهاز. قارنا أرقام الأمان.`,
      build: who => `${who}: يستعمل تطبيقًا غير الذي على هذا الجهاز، مع أن الإصدار واحد. ربما غُيّر التطبيق في الطريق.`
    },
    deletedOfStrangers: count =>
      plural(count, {
        one: 'حذفت الشبكة رسالة من شخص لا تعرفه قبل عودة هذا الجهاز.',
        two: 'حذفت الشبكة ما يصل إلى رسالتين من أشخاص لا تعرفهم قبل عودة هذا الجهاز.',
        few: 'حذفت الشبكة ما يصل إلى {n} رسائل من أشخاص لا تعرفهم قبل عودة هذا الجهاز.',
        many: 'حذفت الشبكة ما يصل إلى {n} رسالة من أشخاص لا تعرفهم قبل عودة هذا الجهاز.',
        other: 'حذفت الشبكة ما يصل إلى {n} رسالة من أشخاص لا تعرفهم قبل عودة هذا الجهاز.'
      }),
    hereNow: 'آخر ظهور: الآن',
    hereLast: when => `آخر ظهور: ${when}`,
    typing: (names, n) => (n === 1 ? `يكتب ${isolated(names)} الآن…` : `يكتبون الآن: ${isolated(names)}…`),
    timerOn: time => `تختفي الرسائل الجديدة بعد ${time}.`,
    timerOff: 'تبقى الرسائل الجديدة.',
    time: {
      seconds: count =>
        plural(count, {
          one: 'ثانية واحدة',
          two: 'ثانيتين',
          few: '{n} ثوانٍ',
          many: '{n} ثانية',
          other: '{n} ثانية'
        }),
      minutes: count =>
        plural(count, {
          one: 'دقيقة واحدة',
          two: 'دقيقتين',
          few: '{n} دقائق',
          many: '{n} دقيقة',
          other: '{n} دقيقة'
        }),
      hours: count =>
        plural(count, {
          one: 'ساعة واحدة',
          two: 'ساعتين',
          few: '{n} ساعات',
          many: '{n} ساعة',
          other: '{n} ساعة'
        }),
      days: count =>
        plural(count, { one: 'يوم واحد', two: 'يومين', few: '{n} أيام', many: '{n} يومًا', other: '{n} يوم' }),
      weeks: count =>
        plural(count, {
          one: 'أسبوع واحد',
          two: 'أسبوعين',
          few: '{n} أسابيع',
          many: '{n} أسبوعًا',
          other: '{n} أسبوع'
        })
    },
    deletedMessage: 'حُذفت هذه الرسالة.',
    retry: 'إعادة المحاولة',
    notSent: 'لم تُرسل.',
    keptHere: 'لم تُرسل. رسالتك محفوظة هنا.',
    held: 'الإرسال متوقف مؤقتًا.',
    whatHappened: 'ماذا حدث؟',
    gone: 'هذه المحادثة ليست على هذا الجهاز.',
    loadFailed: 'تعذّر فتح هذه المحادثة. ما زالت رسائلك على هذا الجهاز.',
    sendFailed: 'تعذّر قبول رسالتك. ما زالت في الحقل أدناه.',
    showMore: 'عرض المزيد',
    menu: (from, time) => `رسالة من ${isolated(from)}، ${time}: القائمة`,
    copyText: 'نسخ النص',
    messageDetails: 'التفاصيل',
    sentAt: 'وقت الإرسال',
    receivedAt: 'وقت الوصول إلى هذا الجهاز',
    deliveryState: 'التسليم',
    article: (from, time, state) => [isolated(from), time, state].filter(Boolean).join('، ')
  },

  ticks: {
    waiting: 'في الانتظار',
    sent: 'أُرسلت',
    delivered: 'سُلّمت',
    read: 'قُرئت',
    failed: 'لم تُرسل'
  },

  people: {
    title: 'الأشخاص',
    newChat: 'محادثة جديدة',
    find: 'البحث باسم المستخدم',
    findHint: `اكتب اسم المستخدم كاملًا، مثل ${isolated('@ada')}، أو اسمًا في موقع آخر، مثل ${isolated('x:ada')}.`,
    look: 'بحث',
    looking: 'جارٍ البحث…',
    notYet: 'لم يُعثر عليه بعد. تحتاج الأسماء الجديدة إلى بضع ثوانٍ.',
    nobodyElsewhere: name => `لا أحد يريد أن يُعثر عليه باسم ${isolated(name)}.`,
    nobody: username => `لا أحد يحمل الاسم ${isolated(`@${username}`)}. تحقق من كتابته مع صاحبه.`,
    invalid: 'يتكون اسم المستخدم من 3 إلى 24 حرفًا من a–z أو أرقام أو _.',
    offline: 'تعذّر البحث عن أشخاص: لا يوجد اتصال. كل محادثاتك هنا.',
    known: 'أشخاص تراسلهم',
    none: 'يظهر هنا من تراسلهم.',
    message: 'مراسلة',
    messageTo: name => `مراسلة ${isolated(name)}`,
    isYou: 'هذا أنت',
    choose: 'اختر شخصًا لمعرفة المزيد عنه.'
  }
}

import type { groups as English } from '../en/groups.ts'
import { isolated } from '../isolated.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('ar')

/** Chats of many: making one, who is in it, and who may do what. */
export const groups: typeof English = {
  groups: {
    title: 'مجموعة',
    make: 'مجموعة جديدة',
    name: 'اسم المجموعة',
    choose: 'من فيها',
    chosen: n =>
      plural(n, {
        one: 'اختير شخص واحد',
        two: 'اختير شخصان',
        few: 'اختير {n} أشخاص',
        many: 'اختير {n} شخصًا',
        other: 'اختير {n} شخص'
      }),
    leaveOut: name => `استبعاد ${isolated(name)}`,
    addFound: 'إضافة',
    findHint: 'في الأسفل أشخاص تعرفهم. اعثر على غيرهم باسم المستخدم الكامل.',
    create: 'أنشئ المجموعة',
    creating: 'جارٍ الإنشاء…',
    edit: 'تعديل',
    editTitle: 'الاسم والوصف والصورة',
    description: 'الوصف',
    descriptionIfAny: 'الوصف (اختياري)',
    save: 'حفظ',
    members: 'الأعضاء',
    admin: 'مشرف',
    since: (when, by) => `منذ ${when}، أضافه ${isolated(by)}`,
    addedByYou: 'أنت',
    made: when => `أنشأ المجموعة · ${when}`,
    actionsFor: name => `ماذا تفعل مع ${isolated(name)}`,
    makeAdmin: 'تعيين مشرفًا',
    takeAdmin: 'إعفاء من الإشراف',
    remove: 'إزالة',
    removeTitle: name => `إزالة ${isolated(name)}؟`,
    removeText: name => `لن يصل إلى ${isolated(name)} ما يُكتب لاحقًا. ويبقى هناك ما وصل من قبل.`,
    add: 'إضافة أشخاص',
    newHint: 'من يُضاف لاحقًا لا يستطيع قراءة الرسائل السابقة.',
    addHint: 'لا يستطيعون قراءة الرسائل السابقة.',
    link: 'رابط الدعوة',
    linkHint: 'يستطيع من لديه هذا الرابط الانضمام ما دام أحد أجهزتك يعمل. يُظهر من صنعه، ولا يُظهر أي مجموعة هي.',
    linkCode: 'الرابط كرمز يُمسح بالكاميرا',
    newLink: 'إنشاء رابط جديد ويُلغى هذا',
    approveEach: 'أجيب بنفسي كل من يطلب',
    askingCount: n =>
      plural(n, {
        one: 'يطلب شخص واحد الانضمام',
        two: 'يطلب شخصان الانضمام',
        few: 'يطلب {n} أشخاص الانضمام',
        many: 'يطلب {n} شخصًا الانضمام',
        other: 'يطلب {n} شخص الانضمام'
      }),
    asking: 'يطلبون الانضمام',
    approve: 'إضافة',
    deny: 'عدم الإضافة',
    approveWho: name => `إضافة ${isolated(name)}`,
    denyWho: name => `عدم إضافة ${isolated(name)}`,
    rights: 'من يحق له ماذا',
    membersMayAdd: 'يحق للأعضاء إضافة أشخاص',
    membersMayEdit: 'للأعضاء تغيير الاسم والوصف والصورة',
    mention: 'ذكر عضو',
    leave: 'مغادرة المجموعة',
    leaveTitle: name => `مغادرة ${isolated(name)}؟`,
    leaveText: 'لن تصلك رسائل أخرى. يبقى ما على هذا الجهاز.',
    leaveYes: 'مغادرة',
    out: 'لم تعد في هذه المجموعة.',
    joinTitle: 'الانضمام إلى مجموعة',
    joinText: 'يرى من صنع هذا الرابط اسمك، ويمكنه إضافتك حين يعمل جهازه.',
    join: 'طلب الانضمام',
    joining: 'جارٍ الطلب…',
    notNow: 'ليس الآن'
  }
}

/** Classes of characters that names and the terminal treat alike. */

/** One well-formed emoji, a whole grapheme: a flag, a keycap, or pictures with modifiers, joined or not. */
export const EMOJI =
  /^(?:\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}|\p{ExtPict}[\uFE0F\p{Emoji_Modifier}]?(?:\u200D\p{ExtPict}[\uFE0F\p{Emoji_Modifier}]?)*)$/u

/** Zero-width joiner and non-joiner where they are spelling: behind a letter or mark of a script that uses them. */
export const JOINERS =
  /(?<=[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Mymr}\p{scx=Khmr}\p{scx=Tibt}])[\u200C\u200D]/gu

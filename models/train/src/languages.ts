// How the languages of the demo write months and weekdays. Data only; the forms that use it are in forms.ts.
// Month names stand in the case they have after a day number (Polish: the genitive).

export interface Language {
  readonly name: string;
  readonly months: readonly string[];
  readonly abbreviations: readonly string[];
  /** Sunday first. */
  readonly weekdays: readonly string[];
}

function words(text: string): readonly string[] {
  return text.split(" ");
}

export const ENGLISH: Language = {
  name: "English",
  months: words("January February March April May June July August September October November December"),
  abbreviations: words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
  weekdays: words("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
};

export const GERMAN: Language = {
  name: "German",
  months: words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
  abbreviations: words("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
  weekdays: words("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
};

export const FRENCH: Language = {
  name: "French",
  months: words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
  abbreviations: words("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
  weekdays: words("dimanche lundi mardi mercredi jeudi vendredi samedi"),
};

export const SPANISH: Language = {
  name: "Spanish",
  months: words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
  abbreviations: words("ene feb mar abr may jun jul ago sept oct nov dic"),
  weekdays: words("domingo lunes martes miércoles jueves viernes sábado"),
};

export const ITALIAN: Language = {
  name: "Italian",
  months: words("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
  abbreviations: words("gen feb mar apr mag giu lug ago set ott nov dic"),
  weekdays: words("domenica lunedì martedì mercoledì giovedì venerdì sabato"),
};

export const DUTCH: Language = {
  name: "Dutch",
  months: words("januari februari maart april mei juni juli augustus september oktober november december"),
  abbreviations: words("jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec."),
  weekdays: words("zondag maandag dinsdag woensdag donderdag vrijdag zaterdag"),
};

export const PORTUGUESE: Language = {
  name: "Portuguese",
  months: words("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
  abbreviations: words("jan fev mar abr mai jun jul ago set out nov dez"),
  weekdays: words("domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado"),
};

export const SWEDISH: Language = {
  name: "Swedish",
  months: words("januari februari mars april maj juni juli augusti september oktober november december"),
  abbreviations: words("jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec."),
  weekdays: words("söndag måndag tisdag onsdag torsdag fredag lördag"),
};

export const POLISH: Language = {
  name: "Polish",
  months: words("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"),
  abbreviations: words("sty lut mar kwi maj cze lip sie wrz paź lis gru"),
  weekdays: words("niedziela poniedziałek wtorek środa czwartek piątek sobota"),
};

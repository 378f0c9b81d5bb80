// Words in the holder's language, numbers in its digits.
import { WORDS } from "./words.js";

const KEPT = "ramznegar-language";
let language = "fa";

export const languageNow = () => language;

export function chooseLanguage(chosen) {
  language = chosen === "en" ? "en" : "fa";
  localStorage.setItem(KEPT, language);
  Object.assign(document.documentElement, { lang: language, dir: language === "fa" ? "rtl" : "ltr" });
}

export const languageAtStart = () => localStorage.getItem(KEPT) ?? new URLSearchParams(location.search).get("lang");

export const digits = (value) => language === "fa" ? String(value).replace(/\d/g, (digit) => "۰۱۲۳۴۵۶۷۸۹"[digit]) : String(value);
export const ascii = (text) =>
  text.replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 1776).replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 1632);
export const onlyDigits = (text) => ascii(text).replace(/\D/g, "");

export const say = (key, values = {}) =>
  WORDS[key][language === "fa" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => values[name]);
export const chosenOf = (both) => both[language];

export const grouped = (number) => digits(String(number).replace(/\B(?=(\d{3})+$)/g, language === "fa" ? "٬" : ","));
export const rials = (number) => say("rials", { amount: grouped(number) });

export const moment = (ms) => new Intl.DateTimeFormat(language === "fa" ? "fa-IR" : "en-GB-u-ca-persian", {
  day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Tehran",
}).format(ms);

// Parts of an activation as people type them: any digits, any case, with or without spaces, O for 0, I and L for 1.
export const normalised = (text) =>
  ascii(text).toUpperCase().replace(/[^0-9A-Z]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");

// The bank's whole message may be pasted: the part is the last run of eight in it.
export const partOf = (text) => {
  const runs = ascii(text).toUpperCase().match(/(?<![0-9A-Z])[0-9A-Z]{4}[ -]?[0-9A-Z]{4}(?![0-9A-Z])/g);
  return normalised(runs?.at(-1) ?? text);
};

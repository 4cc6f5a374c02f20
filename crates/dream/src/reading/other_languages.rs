//! Rules in languages other than English, by the words with which people say that something holds
//! from now on. Only what is said so plainly is read; a word such as "siempre" alone, which stories
//! hold as well, is not enough.

use super::ruling::Ruling;

/// Longest sentence that is read, in characters.
const LONGEST: usize = 300;

/// Phrases that make a sentence a rule wherever they are in it, in lower case.
#[rustfmt::skip]
const LASTING: &[&str] = &[
    // German
    "ab jetzt", "ab sofort", "von nun an", "ab heute", "künftig", "zukünftig", "in zukunft", "bitte immer", "bitte nie", "bitte niemals",
    "bitte grundsätzlich", "verwende immer", "nutze immer", "benutze immer", "verwende nie", "schreib immer", "schreibe immer",
    // French
    "à partir de maintenant", "dès maintenant", "désormais", "dorénavant", "à l'avenir", "veuillez toujours", "merci de toujours",
    "merci de ne jamais", "utilise toujours", "utilisez toujours", "n'utilise jamais", "n'utilisez \
        jamais",
    // Spanish
    "a partir de ahora", "de ahora en adelante", "de aquí en adelante", "en lo sucesivo", "por favor, siempre", "por favor siempre",
    "usa siempre", "usen siempre", "siempre usa", "nunca uses", "utiliza siempre",
    // Italian
    "d'ora in poi", "da ora in poi", "d'ora in avanti", "per favore sempre", "usa sempre", "non usare mai",
    // Portuguese
    "a partir de agora", "de agora em diante", "daqui em diante", "daqui para a frente", "por favor, sempre", "use sempre", "nunca use",
    // Dutch
    "vanaf nu", "voortaan", "in het vervolg", "graag altijd", "gebruik altijd", "gebruik nooit",
    // Polish, Czech
    "od teraz", "od dziś", "od tej pory", "na przyszłość", "proszę zawsze", "zawsze używaj", "nigdy nie używaj", "od teď", "od nynějška",
    // Swedish, Norwegian, Danish, Finnish
    "från och med nu", "hädanefter", "i fortsättningen", "fra nå av", "heretter", "fra nu af", "fremover", "tästä lähtien", "jatkossa",
    // Turkish, Indonesian, Vietnamese
    "bundan sonra", "bundan böyle", "mulai sekarang", "jangan pernah", "từ bây giờ", "từ nay",
    // Russian, Ukrainian
    "с этого момента", "с сегодняшнего дня", "отныне", "впредь", "в дальнейшем", "пожалуйста, \
        всегда", "всегда используй", "никогда не используй",
    "відтепер", "надалі",
    // Greek, Hebrew
    "από εδώ και πέρα", "από τώρα και στο εξής", "מעכשיו", "מהיום והלאה",
    // Arabic (without vowel signs), Persian
    "من الان فصاعدا", "من اليوم فصاعدا", "ابتداء من الان", "از این به بعد", "از حالا به بعد",
    // Hindi
    "अब से", "आगे से",
    // Chinese
    "从现在起", "从现在开始", "从今以后", "今后请", "以后请", "以后都", "请始终", "请总是", "请一律", "请永远不要", "從現在起", "從現在開始", "從今以後",
    "今後請", "以後請", "請始終", "請一律", "請永遠不要",
    // Japanese
    "今後は", "これからは", "以後は", "これ以降は",
    // Korean
    "앞으로는", "이제부터", "지금부터는",
];

/// Phrases by which people ask that something be remembered.
#[rustfmt::skip]
const REMEMBER: &[&str] = &[
    "merke dir", "merk dir", "bitte merken", "retiens que", "souviens-toi que", "recuerda que", "ricorda che", "ricordati che", "lembre-se de que",
    "onthoud dat", "zapamiętaj", "kom ihåg att", "husk at", "unutma", "запомни", "запомните", "تذكر ان", "请记住", "請記住", "記住：", "记住：",
    "覚えておいて", "기억해 줘", "기억해줘", "याद रखें",
];

/// Returns what a sentence is, by words of other languages than English.
pub fn ruling(text: &str) -> Ruling {
    if text.contains(['?', '？', '؟']) || text.chars().count() > LONGEST {
        return Ruling::None;
    }
    let lower = folded(text);
    if REMEMBER.iter().any(|cue| holds(&lower, cue)) {
        Ruling::Remember
    } else if LASTING.iter().any(|cue| holds(&lower, cue)) {
        Ruling::Rule
    } else {
        Ruling::None
    }
}

/// Lower case; Arabic without vowel signs, and with one form of alef.
fn folded(text: &str) -> String {
    let letter = |c: char| match c {
        'أ' | 'إ' | 'آ' => 'ا',
        '’' => '\'',
        other => other,
    };
    let signs = |c: &char| !matches!(c, '\u{64b}'..='\u{652}' | '\u{640}');
    text.to_lowercase()
        .chars()
        .filter(signs)
        .map(letter)
        .collect()
}

/// True if a phrase is in a text as words of its own; where a script sets no spaces between
/// words, anywhere.
fn holds(text: &str, phrase: &str) -> bool {
    let spaced = !phrase
        .chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
    let is_end = |c: Option<char>| !spaced || c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(phrase).any(|(at, _)| {
        is_end(text[..at].chars().next_back()) && is_end(text[at + phrase.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_many_languages() {
        for rule in [
            "Ab jetzt bitte immer Beträge in Euro angeben.",
            "Désormais, réponds toujours en deux phrases.",
            "De ahora en adelante usa la plantilla nueva.",
            "D'ora in poi scrivi le date per esteso.",
            "Vanaf nu graag alleen korte antwoorden.",
            "Od teraz podawaj ceny brutto.",
            "Впредь пиши даты полностью.",
            "من الآن فصاعدًا استخدم اليورو دائمًا.",
            "从现在起，请始终用公历日期。",
            "今後は敬語で返信してください。",
            "이제부터 금액은 유로로 적어 주세요.",
        ] {
            assert_eq!(ruling(rule), Ruling::Rule, "{rule}");
        }
        assert_eq!(
            ruling("Merk dir: Rechnungen gehen an Frau Roth."),
            Ruling::Remember
        );
        assert_eq!(ruling("请记住，发票发给王女士。"), Ruling::Remember);
    }

    #[test]
    fn stories_and_questions_are_none() {
        for no_rule in [
            "Gilt das ab jetzt auch für mich?",
            "Siempre llego tarde al trabajo.",
            "Il est toujours en panne.",
            "Das war immer schon so.",
            "吃饭以后我会再看。",
            "以前は動いていました。",
            "Ich habe die Unterlagen gefunden.",
            "هل هذا دائما هكذا؟",
        ] {
            assert_eq!(ruling(no_rule), Ruling::None, "{no_rule}");
        }
    }
}

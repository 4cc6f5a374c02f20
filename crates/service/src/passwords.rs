//! Passwords: argon2id with the crate's defaults (19 MiB, 2 passes, 1 lane: a row of OWASP's cheat
//! sheet that ASVS 5.0 approves).

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

use crate::{Error, Lucid, Result};

/// Shortest password, in characters (ASVS 5.0, 6.2.1 recommends 15 where it is the only factor, and
/// demands 8).
const SHORTEST: usize = 12;
/// Longest password, in bytes: a bound on work, far over what 6.2.9 demands.
const LONGEST: usize = 1_024;
/// A hash that no password is known to have; verifying against it takes as long as against a real
/// one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bHVjaWQtbm9ib2R5LXM$7p4V4iSgS1c0q3mQ4b1wX0m0W4Qf2bYw1r1n7rJ5m5A";
/// Least score of zxcvbn (0 to 4): 3 is safe against guessing with a slow hash (10^8 guesses and
/// more). It knows tens of thousands of common passwords, names and keyboard runs (ASVS 5.0,
/// 6.2.4).
const LEAST_SCORE: zxcvbn::Score = zxcvbn::Score::Three;
/// Least letters and digits beside the words that others know of the person and of Lucid.
const LEFT_CHARS: usize = 6;
/// Words that an attacker of Lucid would try first (ASVS 5.0, 6.2.11).
const CONTEXT: &[&str] = &[
    "lucid",
    "dream",
    "dreaming",
    "memory",
    "agent",
    "reviewer",
    "changeset",
];

impl Lucid {
    /// Hashes a new password, or says why it may not be one. `about` is what others know of the
    /// person: their name and address.
    pub(crate) async fn hash_password(&self, password: &str, about: &[&str]) -> Result<String> {
        check(password, about)?;
        let password = password.to_owned();
        let salt: [u8; 16] = self.random_bytes();
        self.on_hashing_thread(move || {
            Argon2::default()
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
        })
        .await?
        .map_err(|_| Error::Internal("the password could not be hashed"))
    }

    /// True if a password matches a hash. Without a hash the same work is done, so that the time
    /// does not tell who has an account.
    pub(crate) async fn verify_password(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool> {
        let password = password.to_owned();
        self.on_hashing_thread(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let parsed = PasswordHash::new(&hash);
            let matches = parsed.is_ok_and(|h| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &h)
                    .is_ok()
            });
            matches && known
        })
        .await
    }

    async fn on_hashing_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self
            .waiting_to_hash
            .try_acquire()
            .map_err(|_| Error::TooMany(5))?;
        let _permit = self
            .hashing
            .acquire()
            .await
            .map_err(|_| Error::Internal("Lucid is shutting down"))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Internal("hashing a password failed"))
    }
}

fn check(password: &str, about: &[&str]) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(Error::Invalid(format!(
            "the password needs at least {SHORTEST} characters; a few words do"
        )));
    }
    if password.len() > LONGEST {
        return Err(Error::Invalid(format!(
            "the password is over {LONGEST} bytes"
        )));
    }
    let known: Vec<&str> = about
        .iter()
        .flat_map(|text| text.split(['@', '.', ' ']))
        .chain(CONTEXT.iter().copied())
        .collect();
    // What is left without the words that everybody knows must be something by itself.
    let mut rest = password.to_lowercase();
    for word in known.iter().filter(|w| w.chars().count() >= 3) {
        rest = rest.replace(&word.to_lowercase(), "");
    }
    let little = rest.chars().filter(|c| c.is_alphanumeric()).count() < LEFT_CHARS;
    if little || zxcvbn::zxcvbn(password, &known).score() < LEAST_SCORE {
        return Err(Error::Invalid(
            "this password is among the first that anybody tries; take another, a few words do"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_is_a_hash_of_the_same_cost() {
        let nobody = PasswordHash::new(NOBODY).expect("it reads as a hash");
        let real = Argon2::default()
            .hash_password_with_salt(b"a long enough phrase", &[7; 16])
            .expect("it hashes")
            .to_string();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(NOBODY), cost(&real));
        let length = |hash: &PasswordHash| {
            hash.hash
                .as_ref()
                .map(argon2::password_hash::phc::Output::len)
        };
        assert_eq!(
            length(&nobody),
            length(&PasswordHash::new(&real).expect("it reads"))
        );
        assert!(
            Argon2::default()
                .verify_password(b"a long enough phrase", &nobody)
                .is_err()
        );
    }

    #[test]
    fn passwords_that_may_not_be() {
        for good in [
            "a long enough phrase",
            "pässwörter ünlimited",
            "four plain words here",
        ] {
            assert!(check(good, &[]).is_ok(), "{good}");
        }
        for bad in [
            "short",
            "PasswordPassword",
            "password1234",
            "qwertyuiop12",
            "lucidlucidlucid",
            "aaaaaaaaaaaaaaaa",
            &"x".repeat(1_025),
        ] {
            assert!(check(bad, &[]).is_err(), "{bad}");
        }
        assert!(
            check("ana.example.2026", &["ana@example.com"]).is_err(),
            "one's own address"
        );
    }
}

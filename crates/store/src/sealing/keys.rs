//! The keys that seal transcripts: one a session, each a file in a folder that belongs neither to
//! the database nor to its backups. Without its file, what a session says can be read by nobody, in
//! no copy of the database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Bytes of an XChaCha20-Poly1305 nonce. It is random: 2^96 texts of one key may be sealed before
/// two may share one.
const NONCE_BYTES: usize = 24;
/// The file that says which folder this is.
const FOLDER_ID: &str = "folder-id";
/// Bytes of a key's name.
const NAME_BYTES: usize = 16;

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct SessionKeys {
    folder: Arc<Path>,
    id: Arc<str>,
}

/// A key, which never shows itself.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl SessionKeys {
    /// The keys in a folder, which is made, for its owner alone, if it is not there. It has an id,
    /// so that no other folder, as that under a disk that is not mounted, is taken for it.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let failed = |source| Error::File {
            path: folder.display().to_string(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let file = folder.join(FOLDER_ID);
        let id = match fs::read_to_string(&file) {
            Ok(id) => id,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = hex::encode(<[u8; NAME_BYTES]>::generate());
                match OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&file)
                {
                    Ok(mut opened) => opened
                        .write_all(id.as_bytes())
                        .and_then(|()| opened.sync_all())
                        .map_err(failed)?,
                    Err(error) => return Err(failed(error)),
                }
                id
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Self {
            folder: folder.canonicalize().map_err(failed)?.into(),
            id: id.trim().into(),
        })
    }

    /// Returns what the folder is known by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// An error if the folder is no longer the one that was opened, as when its disk is gone.
    async fn check(&self) -> Result<()> {
        let (file, id) = (self.folder.join(FOLDER_ID), self.id.clone());
        blocking(self, move || match fs::read_to_string(file) {
            Ok(text) if text.trim() == &*id => Ok(()),
            Ok(_) => Err(io::Error::other("another folder of keys is in its place")),
            Err(error) => Err(error),
        })
        .await
    }

    /// The folder that holds the keys.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a key, and returns it with its name. It is on the disk when this returns.
    pub async fn make(&self) -> Result<(String, Key)> {
        self.check().await?;
        let (key, name) = (
            <[u8; 32]>::generate(),
            hex::encode(<[u8; NAME_BYTES]>::generate()),
        );
        let (file, folder) = (self.file(&name)?, self.folder.clone());
        blocking(self, move || {
            let part = file.parent().unwrap_or(&folder);
            let is_new = !part.exists();
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(part)?;
            let mut opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)?;
            opened.write_all(hex::encode(key).as_bytes())?;
            opened.sync_all()?;
            File::open(part)?.sync_all()?;
            if is_new {
                File::open(&folder)?.sync_all()
            } else {
                Ok(())
            }
        })
        .await?;
        Ok((name, Key(key)))
    }

    /// The key of a name, if it is there. What is no name, or no key, opens nothing, and is logged.
    pub async fn read(&self, name: &str) -> Result<Option<Key>> {
        let Ok(file) = self.file(name) else {
            tracing::warn!("a sealed row names a key that can be none");
            return Ok(None);
        };
        blocking(self, move || match fs::read_to_string(&file) {
            Ok(text) => {
                let mut key = [0; 32];
                let is_key = hex::decode_to_slice(text.trim(), &mut key).is_ok();
                if !is_key {
                    tracing::warn!(
                        "{} holds no key, which is 64 hexadecimal digits",
                        file.display()
                    );
                }
                Ok(is_key.then_some(Key(key)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Destroys a key: its file is overwritten and removed. A file that is not there is no error.
    pub async fn destroy(&self, name: &str) -> Result<()> {
        let Ok(file) = self.file(name) else {
            return Ok(());
        };
        self.check().await?;
        blocking(self, move || {
            let mut opened = match OpenOptions::new().write(true).open(&file) {
                Ok(opened) => opened,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            // Nothing that a reader could take for a key.
            opened.write_all(&[b'-'; 64])?;
            opened.sync_all()?;
            fs::remove_file(&file)?;
            file.parent()
                .map_or(Ok(()), |part| File::open(part)?.sync_all())
        })
        .await
    }

    /// Returns where a key is: spread over 256 folders, because there is one a session. A name
    /// comes from the database, and is no path.
    fn file(&self, name: &str) -> Result<PathBuf> {
        if name.len() == 2 * NAME_BYTES
            && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Ok(self.folder.join(&name[..2]).join(name));
        }
        Err(Error::SessionKey(format!(
            "`{}` is not the name of a key",
            name.chars().take(40).collect::<String>()
        )))
    }
}

async fn blocking<T: Send + 'static>(
    keys: &SessionKeys,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let failed = |source| Error::File {
        path: keys.folder.display().to_string(),
        source,
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| failed(e.into()))?
        .map_err(failed)
}

impl Key {
    /// The key that only somebody with all of these has.
    pub(super) fn of_all(keys: &[Self]) -> Self {
        let mut hash =
            Sha256::new_with_prefix(b"lucid: the key of what was read out of several sessions");
        for key in keys {
            hash.update(key.0);
        }
        Self(hash.finalize().into())
    }

    /// Seals a text for one place, where alone it can be opened. An empty text stays empty.
    pub(super) fn seal(&self, place: &str, text: &str) -> Result<String> {
        if text.is_empty() {
            return Ok(String::new());
        }
        let nonce = <[u8; NONCE_BYTES]>::generate();
        let sealed = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: text.as_bytes(),
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| Error::SessionKey("a text is too long to be sealed".to_owned()))?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The text that was sealed for a place; `None` if it was changed, or sealed with another key
    /// or for another place.
    pub(super) fn open(&self, place: &str, sealed: &str) -> Option<String> {
        if sealed.is_empty() {
            return Some(String::new());
        }
        let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let text = XChaCha20Poly1305::new(&self.0.into())
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: place.as_bytes(),
                },
            )
            .ok()?;
        String::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_in_its_place_alone_and_only_unchanged() {
        let (key, other) = (Key([1; 32]), Key([2; 32]));
        let sealed = key.seal("event:1", "Grüße, 世界").unwrap();
        let bytes = STANDARD_NO_PAD.decode(&sealed).unwrap();
        assert!(
            !bytes
                .windows("Grüße".len())
                .any(|part| part == "Grüße".as_bytes())
        );
        assert_eq!(key.open("event:1", &sealed).as_deref(), Some("Grüße, 世界"));
        assert_eq!(key.open("event:2", &sealed), None);
        assert_eq!(other.open("event:1", &sealed), None);
        let mut changed = sealed.clone().into_bytes();
        changed[40] ^= 1;
        assert_eq!(
            key.open("event:1", &String::from_utf8(changed).unwrap()),
            None
        );
        assert_ne!(
            key.seal("event:1", "Grüße, 世界").unwrap(),
            sealed,
            "a nonce of its own each time"
        );
        for junk in ["", "A", "????", &STANDARD_NO_PAD.encode([0; 24])] {
            assert_eq!(
                key.open("event:1", junk).as_deref(),
                junk.is_empty().then_some("")
            );
        }
    }

    #[tokio::test]
    async fn a_key_is_a_private_file_until_it_is_destroyed() {
        use std::os::unix::fs::PermissionsExt;
        let folder =
            std::env::temp_dir().join(format!("lucid-keys-{}", hex::encode(<[u8; 8]>::generate())));
        let keys = SessionKeys::in_folder(&folder.join("keys")).unwrap();
        let (name, key) = keys.make().await.unwrap();
        let file = keys.file(&name).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(keys.folder()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(keys.read(&name).await.unwrap().unwrap().0, key.0);
        keys.destroy(&name).await.unwrap();
        keys.destroy(&name).await.unwrap();
        assert!(keys.read(&name).await.unwrap().is_none());
        for path in [
            "../../etc/passwd",
            "",
            "..",
            &"g".repeat(32),
            &"A".repeat(32),
        ] {
            assert!(keys.read(path).await.unwrap().is_none(), "{path}");
        }
        assert_eq!(
            SessionKeys::in_folder(keys.folder()).unwrap().id(),
            keys.id(),
            "it stays the same folder"
        );
        // Its disk is gone, and something else is in its place.
        fs::remove_file(keys.folder().join(FOLDER_ID)).unwrap();
        assert!(matches!(keys.make().await, Err(Error::File { .. })));
        assert!(matches!(keys.destroy(&name).await, Err(Error::File { .. })));
        fs::remove_dir_all(folder).unwrap();
    }
}

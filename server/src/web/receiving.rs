//! Long bodies, streamed into temporary files.

use domain::actor::Actor;
use futures::{Stream, StreamExt};
use service::{Error, Lucid, Result};
use tokio::io::AsyncWriteExt;

/// Most bytes of one upload: as much as the command line is meant for at once.
pub const UPLOAD_BYTES: usize = 256 * 1024 * 1024;
/// Bytes after which it is looked again whether the sender's sign-in or key still stands.
const CHECKED_EVERY: usize = 4 * 1024 * 1024;

/// Writes a body into a file that goes when its path is dropped.
pub async fn into_file<B: AsRef<[u8]>, E>(
    mut body: impl Stream<Item = std::result::Result<B, E>> + Unpin,
    lucid: &Lucid,
    actor: &Actor,
) -> Result<tempfile::TempPath> {
    let (file, path) = tempfile::NamedTempFile::new()?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut unchecked, mut all) = (0, 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Error::Invalid("the upload broke off".to_owned()))?;
        let chunk = chunk.as_ref();
        file.write_all(chunk).await?;
        all += chunk.len();
        unchecked += chunk.len();
        if all > UPLOAD_BYTES {
            return Err(Error::Invalid(format!(
                "an upload has at most {} MB",
                UPLOAD_BYTES / 1_000_000
            )));
        }
        if unchecked >= CHECKED_EVERY {
            unchecked = 0;
            lucid.refreshed(actor).await?.ok_or(Error::Ended)?;
        }
    }
    file.flush().await?;
    Ok(path)
}

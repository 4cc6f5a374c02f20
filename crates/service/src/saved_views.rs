//! Views of the queue that people save under a name, each for themselves. They hold filters and no
//! content, so the audit trail does not.

use domain::{actor::Actor, scan};
use store::saved_views::{self, SavedView};

use crate::{Error, Lucid, Result, notices::reader};

/// Most views of one person.
const MOST: usize = 20;
/// Longest name, in characters.
const NAME: usize = 40;
/// Longest query, in bytes.
const QUERY: usize = 1_000;

impl Lucid {
    /// The reader's views, by name.
    #[tracing::instrument(skip_all)]
    pub async fn saved_views(&self, actor: &Actor) -> Result<Vec<SavedView>> {
        Ok(saved_views::of(&mut self.db.read().await?, reader(actor)?).await?)
    }

    /// Saves the filters of the queue's address under a name of 1 to 40 characters, in place of the
    /// view of the same name. One person has at most 20.
    #[tracing::instrument(skip_all)]
    pub async fn save_view(&self, actor: &Actor, name: &str, query: &str) -> Result<()> {
        let user = reader(actor)?;
        let name = name.trim();
        if name.is_empty()
            || name.chars().count() > NAME
            || scan::has_hidden(name)
            || name.chars().any(char::is_control)
        {
            return Err(Error::Invalid(format!(
                "a view needs a name of 1 to {NAME} visible characters"
            )));
        }
        if query.len() > QUERY || query.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Error::Invalid(
                "these filters cannot be saved: choose them on the page of the queue".to_owned(),
            ));
        }
        let (mut tx, _) = self.begin(actor).await?;
        let views = saved_views::of(&mut tx, user).await?;
        if views.len() >= MOST && !views.iter().any(|v| v.name == name) {
            return Err(Error::Conflict(format!(
                "you have {MOST} saved views: remove one first"
            )));
        }
        saved_views::put(
            &mut tx,
            user,
            &SavedView {
                name: name.to_owned(),
                query: query.to_owned(),
            },
            self.now(),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Removes one of the reader's views.
    #[tracing::instrument(skip_all)]
    pub async fn delete_view(&self, actor: &Actor, name: &str) -> Result<()> {
        let user = reader(actor)?;
        let (mut tx, _) = self.begin(actor).await?;
        if !saved_views::delete(&mut tx, user, name).await? {
            return Err(Error::NotFound("view"));
        }
        Ok(tx.commit().await?)
    }
}

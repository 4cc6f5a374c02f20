//! Forms that were refused: what was typed is kept for the page that shows it again.

use std::collections::BTreeMap;

use domain::ids::{DraftId, UserId};
use store::forms;

use crate::{Error, Lucid, Result};

/// How long a refused form is kept, in seconds.
pub(crate) const KEPT_SECONDS: i64 = 3_600;
/// Longest field that is kept for somebody who is not signed in, in characters: the longest address
/// there is.
const ANONYMOUS_CHARS: usize = 320;

/// A form that was refused, with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedForm {
    pub message: String,
    /// HTTP status of the page that shows it.
    pub status: u16,
    pub fields: BTreeMap<String, String>,
}

impl Lucid {
    /// Keeps a refused form; its id goes into the address of the page that shows it.
    #[tracing::instrument(skip_all)]
    pub async fn keep_refused_form(
        &self,
        user: Option<UserId>,
        error: &Error,
        fields: &BTreeMap<String, String>,
    ) -> Result<DraftId> {
        let id = self.id(DraftId::new);
        // What nobody in particular typed is kept short: else anybody could fill the database.
        let kept = |text: &String| {
            if user.is_some() {
                text.clone()
            } else {
                text.chars().take(ANONYMOUS_CHARS).collect()
            }
        };
        let fields: BTreeMap<&String, String> = fields
            .iter()
            .map(|(name, text)| (name, kept(text)))
            .collect();
        let fields = serde_json::to_string(&fields)
            .map_err(|_| Error::Internal("a form could not be kept"))?;
        let draft = forms::Draft {
            message: error.message(),
            status: i64::from(error.kind().status()),
            fields,
        };
        let now = self.now();
        let mut tx = self.db.background().await?;
        forms::insert_draft(&mut tx, id, user, &draft, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Keeps what somebody typed so far, without a word about it: a page shows it again by its id.
    #[tracing::instrument(skip_all, fields(%user))]
    pub async fn keep_form(
        &self,
        user: UserId,
        fields: &BTreeMap<String, String>,
    ) -> Result<DraftId> {
        let id = self.id(DraftId::new);
        let fields = serde_json::to_string(&fields)
            .map_err(|_| Error::Internal("a form could not be kept"))?;
        let draft = forms::Draft {
            message: String::new(),
            status: 200,
            fields,
        };
        let mut tx = self.db.background().await?;
        forms::insert_draft(&mut tx, id, Some(user), &draft, self.now()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The refused form of this person, if it is still kept.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn refused_form(
        &self,
        user: Option<UserId>,
        id: DraftId,
    ) -> Result<Option<RefusedForm>> {
        let mut tx = self.db.read().await?;
        let Some(draft) =
            forms::draft(&mut tx, id, user, self.now().plus_seconds(-KEPT_SECONDS)).await?
        else {
            return Ok(None);
        };
        let fields = serde_json::from_str(&draft.fields).unwrap_or_default();
        Ok(Some(RefusedForm {
            message: draft.message,
            status: u16::try_from(draft.status).unwrap_or(422),
            fields,
        }))
    }
}

//! "Your turn" by email, for those who asked for it: one message for each person and item, with
//! nothing in it but where to look. Off unless a mail server is named. A link only opens the item;
//! nothing is decided by a mail.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::authentication::Credentials,
};
use service::{LinkMail, Lucid, MailRow};
use tokio_util::sync::CancellationToken;

use crate::{Failure, models::secret};

/// How often it is looked for what is to be sent.
const ROUND: Duration = Duration::from_secs(15);
/// How long it waits after a mail could not be sent.
const AFTER_ERROR: Duration = Duration::from_mins(2);
/// How long one message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings of the mail server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailArgs {
    /// Mail server: `smtps://HOST`, or `smtp://HOST:PORT` (`?tls=required` for STARTTLS). Without
    /// it no mail is sent.
    #[arg(long, env = "LUCID_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Name to sign in with at the mail server; the password is in `LUCID_SMTP_PASSWORD` or the
    /// file below.
    #[arg(long, env = "LUCID_SMTP_USER")]
    pub smtp_user: Option<String>,
    /// File with the password for the mail server.
    #[arg(long, env = "LUCID_SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// Sender, as `Lucid <lucid@example.org>`.
    #[arg(long, env = "LUCID_MAIL_FROM")]
    pub mail_from: Option<String>,
}

/// The client of the mail server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    public_url: String,
}

impl Mailer {
    /// From the settings; nothing if no server is named.
    pub fn new(args: &MailArgs, public_url: &str) -> Result<Option<Self>, Failure> {
        let Some(url) = args.smtp_url.as_deref().filter(|u| !u.trim().is_empty()) else {
            return Ok(None);
        };
        let from = args.mail_from.as_deref().ok_or_else(|| {
            Failure::Said(
                "sending mail needs a sender: set --mail-from or LUCID_MAIL_FROM".to_owned(),
            )
        })?;
        let from = from
            .parse()
            .map_err(|e| Failure::Said(format!("`{from}` is no sender for mail: {e}")))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|e| Failure::Said(format!("the mail server's URL cannot be used: {e}")))?;
        let builder = match &args.smtp_user {
            Some(user) => builder.credentials(Credentials::new(user.clone(), password(args)?)),
            None => builder,
        };
        Ok(Some(Self {
            transport: builder.timeout(Some(PATIENCE)).build(),
            from,
            public_url: public_url.to_owned(),
        }))
    }

    /// Sends what there is, until it is told to stop.
    pub async fn run(self, lucid: Lucid, stop: CancellationToken) {
        loop {
            let wait = match self.round(&lucid, &stop).await {
                Ok(()) => ROUND,
                Err(error) => {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        "mail could not be sent; it is tried again"
                    );
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what waits now, one after the other. What a server refuses for good is left at that;
    /// what it refuses for now is put back.
    async fn round(
        &self,
        lucid: &Lucid,
        stop: &CancellationToken,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        while !stop.is_cancelled() {
            let Some(mail) = lucid.take_mail().await? else {
                break;
            };
            if let Err(error) = self.send(&mail).await {
                if is_final(&*error) {
                    tracing::warn!(notice = %mail.id, error = &*error as &dyn std::error::Error, "a mail was refused for good, and is not sent");
                    continue;
                }
                lucid.not_mailed(mail.id).await?;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn send(&self, mail: &MailRow) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let text = format!(
            "It is your turn in Lucid: a changeset for the memory store {} waits for a \
             decision.\n\n{}/changesets/{}\n\nThe link opens it; nothing is decided by following \
             it. You asked for these messages in your inbox, and can stop them there.\n",
            mail.store_name, self.public_url, mail.changeset_id
        );
        self.deliver(
            (&mail.name, &mail.email),
            &format!("Your turn: a changeset for {}", mail.store_name),
            text,
        )
        .await
    }

    async fn deliver(
        &self,
        (name, email): (&str, &str),
        subject: &str,
        text: String,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.to_owned()), email.parse()?))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)?;
        self.transport.send(message).await?;
        Ok(())
    }
}

#[async_trait::async_trait]
impl LinkMail for Mailer {
    async fn send(&self, name: &str, email: &str, token: &str) -> Result<(), String> {
        let text = format!(
            "Choose a password for Lucid with this link. It works once, within 24 hours, and \
             nobody else has seen it:\n\n{}\n\nIf you did not expect this message, do nothing, and \
             tell whoever runs your Lucid.\n",
            crate::web::link(&self.public_url, token)
        );
        self.deliver((name, email), "Your link to Lucid", text)
            .await
            .map_err(|error| {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "a one-time link could not be sent"
                );
                "the mail server did not take it; the log says why".to_owned()
            })
    }
}

/// True if trying again changes nothing: the address is none, or the server says so (5yz).
fn is_final(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<lettre::transport::smtp::Error>()
        .is_none_or(lettre::transport::smtp::Error::is_permanent)
}

fn password(args: &MailArgs) -> Result<String, Failure> {
    secret("LUCID_SMTP_PASSWORD", args.smtp_password_file.as_ref())?.ok_or_else(|| {
        Failure::Said(
            "the mail server's password is missing: set LUCID_SMTP_PASSWORD, or name a file with \
             --smtp-password-file"
                .to_owned(),
        )
    })
}

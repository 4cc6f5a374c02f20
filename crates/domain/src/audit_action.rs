//! What an audit entry can say that was done. One list: records, the filter of the audit page and
//! the live feed derive from it.

use crate::text_enum::text_enum;

text_enum! {
    AuditAction {
        /// Somebody asked for access.
        AccessRequest => "access.request",
        /// A request for access was accepted.
        AccessAccept => "access.accept",
        /// A request for access was declined.
        AccessDecline => "access.decline",
        /// The trail did not verify.
        AuditAlarm => "audit.alarm",
        /// A checkpoint of the trail was signed.
        AuditCheckpoint => "audit.checkpoint",
        /// The whole trail was exported.
        AuditExport => "audit.export",
        /// Another key signs the trail.
        AuditKey => "audit.key",
        /// The trail was verified.
        AuditVerify => "audit.verify",
        /// A copy of the database was made.
        BackupCreate => "backup.create",
        /// Somebody commented on a change.
        ChangeComment => "change.comment",
        /// Somebody voted on a change.
        ChangeDecide => "change.decide",
        /// A change got other contents.
        ChangeEdit => "change.edit",
        /// A change was carried over to the memory as it is now.
        ChangeRebase => "change.rebase",
        /// The last revision of a change was discarded.
        ChangeDiscard => "change.discard",
        ChangeResume => "change.resume",
        /// The quotes of a change were shown unmasked.
        ChangeReveal => "change.reveal",
        /// A decision was withdrawn.
        ChangeTakeBack => "change.take_back",
        /// A changeset was claimed.
        ChangesetClaim => "changeset.claim",
        /// Approved changes were committed.
        ChangesetCommit => "changeset.commit",
        /// A changeset ended because nobody decided.
        ChangesetExpire => "changeset.expire",
        /// A changeset was proposed.
        ChangesetPropose => "changeset.propose",
        /// A claim was released.
        ChangesetRelease => "changeset.release",
        /// A changeset was withdrawn by its proposer.
        ChangesetWithdraw => "changeset.withdraw",
        /// A browser reported that a page tried what its policy forbids.
        /// A dream was told to stop.
        DreamCancel => "dream.cancel",
        DreamEnd => "dream.end",
        /// A dream was asked for.
        DreamRequest => "dream.request",
        DreamStart => "dream.start",
        /// A rejected finding may come back.
        FindingUnmute => "finding.unmute",
        /// A question of a dream was answered.
        QuestionAnswer => "question.answer",
        /// An answered question may be asked again.
        QuestionReopen => "question.reopen",
        /// An erasure waits for a second admin.
        ErasureAsk => "erasure.ask",
        /// An erasure was declined or withdrawn.
        ErasureDecline => "erasure.decline",
        /// A freeze was ended.
        FreezeEnd => "freeze.end",
        /// A time was set in which nothing is committed.
        FreezeSet => "freeze.set",
        /// A role on a store or path was given.
        GrantGive => "grant.give",
        /// A role on a store or path was removed.
        GrantRevoke => "grant.revoke",
        /// A legal hold was placed.
        HoldPlace => "hold.place",
        /// A legal hold was released.
        HoldRelease => "hold.release",
        /// An API key was made.
        KeyAdd => "key.add",
        /// The list of API keys was read.
        KeyList => "key.list",
        /// An API key was revoked.
        KeyRevoke => "key.revoke",
        /// A one-time link was made.
        LinkCreate => "link.create",
        /// A one-time link was used.
        LinkUse => "link.use",
        /// A saved mapping of transcripts was deleted.
        MappingDelete => "mapping.delete",
        /// A mapping of transcripts was saved.
        MappingSave => "mapping.save",
        /// A memory was frozen.
        MemoryFreeze => "memory.freeze",
        /// The text of a version was erased.
        MemoryRedact => "memory.redact",
        /// Memory was written past the queue.
        MemoryWrite => "memory.write",
        /// Somebody changed their password.
        PasswordChange => "password.change",
        /// Somebody confirmed their password.
        PasswordConfirm => "password.confirm",
        /// A password was wrong when it was confirmed or changed.
        PasswordFail => "password.fail",
        /// A version of a policy was tested against the past.
        PolicyBackTest => "policy.back_test",
        /// A person checked what a policy had applied.
        PolicyCheck => "policy.check",
        /// A change was taken away from the policies.
        PolicyHold => "policy.hold",
        /// A change was given back to the policies.
        PolicyRelease => "policy.release",
        /// A version of a policy was written.
        PolicySave => "policy.save",
        /// A version of a policy moved on in its life.
        PolicyState => "policy.state",
        PolicyStop => "policy.stop",
        /// A stop of policies was lifted.
        PolicyStopLift => "policy.stop_lift",
        /// Memory that turned out wrong was recalled.
        RecallOpen => "recall.open",
        /// A person said what was done about a session that had loaded it.
        RecallMark => "recall.mark",
        /// A recall was closed.
        RecallClose => "recall.close",
        /// A closed recall was opened again.
        RecallReopen => "recall.reopen",
        /// Transcripts that were older than they are kept were erased.
        RetentionApply => "retention.apply",
        /// It was set how long transcripts are kept.
        RetentionSet => "retention.set",
        /// A store's schedule was set.
        ScheduleSet => "schedule.set",
        /// A signed bill of the memory that a session was given was made.
        SessionBill => "session.bill",
        /// Events were appended to a session.
        SessionGrow => "session.grow",
        /// A session was imported.
        SessionImport => "session.import",
        /// An outcome was recorded.
        SessionOutcome => "session.outcome",
        /// A session was recorded.
        SessionRecord => "session.record",
        /// A transcript was shown unmasked.
        SessionReveal => "session.reveal",
        /// A second admin confirmed a weaker setting.
        SettingConfirm => "setting.confirm",
        /// A weaker setting was declined or withdrawn.
        SettingDecline => "setting.decline",
        /// The address that browsers use is another one.
        PublicUrl => "public_url.set",
        /// A weaker setting waits for a second admin.
        SettingPropose => "setting.propose",
        SignIn => "sign_in",
        /// Somebody ended sign-ins of their own.
        SignInEnd => "sign_in.end",
        SignInFail => "sign_in.fail",
        SignOut => "sign_out",
        SoloBegin => "solo.begin",
        SoloEnd => "solo.end",
        /// The required approvals of a store were set.
        StoreApprovals => "store.approvals",
        /// A clean-up of a store was opened.
        StoreCleanUp => "store.clean_up",
        /// A clean-up of a store was ended before its time.
        StoreCleanUpEnd => "store.clean_up_end",
        /// A store was made.
        StoreCreate => "store.create",
        /// A store was deleted.
        StoreDelete => "store.delete",
        /// A store was renamed or described.
        StoreDescribe => "store.describe",
        /// A store's gate mode or budget was set.
        StoreGate => "store.gate",
        /// A deleted store was restored.
        StoreRestore => "store.restore",
        /// All that is known of an end user was erased.
        SubjectErase => "subject.erase",
        /// A letter about what is known of an end user was made.
        SubjectLetter => "subject.letter",
        /// A team was made.
        TeamCreate => "team.create",
        /// Somebody joined a team.
        TeamJoin => "team.join",
        /// Somebody left a team.
        TeamLeave => "team.leave",
        /// Transcripts that were stored before there were keys were sealed.
        TranscriptsSeal => "transcripts.seal",
        /// A person was added.
        UserAdd => "user.add",
        /// An account was disabled.
        UserDisable => "user.disable",
        /// An account was enabled.
        UserEnable => "user.enable",
        /// Somebody's password was reset.
        UserReset => "user.reset",
        /// Somebody's role was changed.
        UserRole => "user.role",
    }
}

impl AuditAction {
    /// Returns what was done, after the actor's name and, where it is about a change or changeset,
    /// before its title: `Rui Reviewer commented on ..`.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AccessRequest => "asked for access",
            Self::AccessAccept => "accepted a request for access",
            Self::AccessDecline => "declined a request for access",
            Self::AuditCheckpoint => "signed a checkpoint of this trail",
            Self::AuditExport => "exported this trail",
            Self::AuditAlarm => "found that the trail does not verify",
            Self::AuditKey => "changed the key that signs the trail",
            Self::AuditVerify => "verified this trail",
            Self::BackupCreate => "made a backup",
            Self::ChangeComment => "commented on",
            Self::ChangeDecide => "decided on",
            Self::ChangeEdit => "edited",
            Self::ChangeRebase => "resolved the conflict of",
            Self::ChangeDiscard => "discarded the last revision of",
            Self::ChangeResume => "brought back the deferred change",
            Self::ChangeReveal => "revealed masked text in",
            Self::ChangeTakeBack => "withdrew a decision on",
            Self::ChangesetClaim => "claimed",
            Self::ChangesetCommit => "committed changes of",
            Self::ChangesetExpire => "closed, because no decision came in time,",
            Self::ChangesetPropose => "proposed",
            Self::ChangesetRelease => "released",
            Self::ChangesetWithdraw => "withdrew",
            Self::DreamCancel => "canceled a dream",
            Self::DreamEnd => "finished a dream",
            Self::DreamRequest => "asked for a dream",
            Self::DreamStart => "started a dream",
            Self::FindingUnmute => "unmuted",
            Self::QuestionAnswer => "answered a question",
            Self::QuestionReopen => "reopened a question",
            Self::ErasureAsk => "asked for an erasure",
            Self::ErasureDecline => "declined an erasure",
            Self::FreezeEnd => "ended a freeze",
            Self::FreezeSet => "set a freeze",
            Self::GrantGive => "granted access",
            Self::GrantRevoke => "removed access",
            Self::HoldPlace => "placed a legal hold",
            Self::HoldRelease => "released a legal hold",
            Self::KeyAdd => "created an API key",
            Self::KeyList => "looked at the API keys",
            Self::KeyRevoke => "revoked an API key",
            Self::LinkCreate => "created a sign-in link",
            Self::LinkUse => "used a sign-in link",
            Self::MappingDelete => "deleted a mapping",
            Self::MappingSave => "saved a mapping",
            Self::MemoryFreeze => "froze a memory",
            Self::MemoryRedact => "erased the text of a version of",
            Self::MemoryWrite => "wrote memory directly",
            Self::PasswordChange => "changed the password",
            Self::PasswordConfirm => "confirmed the password to sign",
            Self::PasswordFail => "entered a wrong password",
            Self::PolicyBackTest => "back-tested",
            Self::PolicyCheck => "checked what a policy had applied,",
            Self::PolicyHold => "held for review",
            Self::PolicyRelease => "gave back to the policies",
            Self::PolicySave => "saved",
            Self::PolicyState => "changed the state of",
            Self::PolicyStop => "stopped policies",
            Self::PolicyStopLift => "let stopped policies run again",
            Self::RecallOpen => "opened a recall of",
            Self::RecallMark => "worked on the recall of",
            Self::RecallClose => "closed the recall of",
            Self::RecallReopen => "reopened the recall of",
            Self::RetentionApply => "erased transcripts that were older than they are kept",
            Self::RetentionSet => "set how long transcripts are kept",
            Self::ScheduleSet => "changed the dream schedule",
            Self::SessionBill => "made a bill of memory for a session",
            Self::SessionGrow => "added events to a session",
            Self::SessionImport => "imported a session",
            Self::SessionOutcome => "recorded the outcome of a session",
            Self::SessionRecord => "recorded a session",
            Self::SessionReveal => "revealed masked text in a session",
            Self::SettingConfirm => "confirmed a weaker setting",
            Self::SettingDecline => "declined a weaker setting",
            Self::PublicUrl => "set the public address",
            Self::SettingPropose => "proposed a weaker setting",
            Self::SignIn => "signed in",
            Self::SignInEnd => "ended a sign-in",
            Self::SignInFail => "failed to sign in",
            Self::SignOut => "signed out",
            Self::SoloBegin => "turned on solo mode",
            Self::SoloEnd => "turned off solo mode",
            Self::StoreApprovals => "changed the approvals that a store needs",
            Self::StoreCleanUp => "opened a clean-up",
            Self::StoreCleanUpEnd => "ended a clean-up",
            Self::StoreCreate => "created a store",
            Self::StoreDelete => "deleted a store",
            Self::StoreDescribe => "described a store",
            Self::StoreGate => "changed the approval mode of a store",
            Self::StoreRestore => "restored a store",
            Self::SubjectErase => "erased what is known of an end user",
            Self::SubjectLetter => "made a letter about what is known of an end user",
            Self::TranscriptsSeal => "sealed transcripts that were stored before",
            Self::TeamCreate => "created a team",
            Self::TeamJoin => "added a person to a team",
            Self::TeamLeave => "removed a person from a team",
            Self::UserAdd => "invited a person",
            Self::UserDisable => "disabled an account",
            Self::UserEnable => "enabled an account",
            Self::UserReset => "reset a password",
            Self::UserRole => "changed the role of a person",
        }
    }

    /// How the live feed of pages about changesets tells it, after the actor's name; `None` for
    /// what it does not tell.
    #[must_use]
    pub const fn news(self) -> Option<&'static str> {
        Some(match self {
            Self::ChangeComment => "commented on a change",
            Self::ChangeDecide => "decided on a change",
            Self::ChangeEdit => "edited a change",
            Self::ChangeRebase => "resolved a conflict",
            Self::ChangeDiscard => "discarded a revision",
            Self::ChangeResume => "brought a deferred change back",
            Self::ChangeTakeBack => "withdrew a decision",
            Self::ChangesetClaim => "claimed a changeset",
            Self::ChangesetCommit => "committed",
            Self::ChangesetExpire => "closed a changeset without decisions",
            Self::ChangesetPropose => "proposed a changeset",
            Self::ChangesetRelease => "released a changeset",
            Self::ChangesetWithdraw => "withdrew a changeset",
            Self::DreamEnd => "ended a dream",
            Self::PolicyHold => "held a change for review",
            Self::PolicyRelease => "gave a change back to the policies",
            Self::PolicyState => "changed the state of a policy",
            Self::PolicyStop => "stopped policies",
            Self::MemoryFreeze => "froze a memory",
            Self::MemoryWrite => "changed the memory",
            _ => return None,
        })
    }

    /// True if it moves the memory, so that what waits may be conflicted now.
    #[must_use]
    pub const fn moves_memory(self) -> bool {
        matches!(self, Self::ChangesetCommit | Self::MemoryWrite)
    }
}

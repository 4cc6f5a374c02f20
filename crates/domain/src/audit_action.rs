//! What an audit entry can say that was done. One list: records, the filter of the audit page and the live feed derive from it.

use crate::text_enum::text_enum;

text_enum! {
    /// What was done.
    AuditAction {
        /// Somebody asked for access.
        AccessRequest => "access.request",
        /// A request for access was accepted.
        AccessAccept => "access.accept",
        /// A request for access was declined.
        AccessDecline => "access.decline",
        /// A checkpoint of the trail was signed.
        AuditCheckpoint => "audit.checkpoint",
        /// The whole trail was exported.
        AuditExport => "audit.export",
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
        /// A deferral ended.
        ChangeResume => "change.resume",
        /// The quotes of a change were shown unmasked.
        ChangeReveal => "change.reveal",
        /// A decision was taken back.
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
        /// A dream ended.
        DreamEnd => "dream.end",
        /// A dream was asked for.
        DreamRequest => "dream.request",
        /// A dream began.
        DreamStart => "dream.start",
        /// A rejected finding may come back.
        FindingUnmute => "finding.unmute",
        /// A question of a dream was answered.
        QuestionAnswer => "question.answer",
        /// An answered question may be asked again.
        QuestionReopen => "question.reopen",
        /// A role on a store or path was given.
        GrantGive => "grant.give",
        /// A role on a store or path was taken back.
        GrantRevoke => "grant.revoke",
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
        /// Memory was written past the queue.
        MemoryWrite => "memory.write",
        /// Somebody changed their password.
        PasswordChange => "password.change",
        /// Somebody confirmed their password.
        PasswordConfirm => "password.confirm",
        /// A password was wrong when it was confirmed or changed.
        PasswordFail => "password.fail",
        /// A store's schedule was set.
        ScheduleSet => "schedule.set",
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
        /// A weaker setting waits for a second admin.
        SettingPropose => "setting.propose",
        /// Somebody signed in.
        SignIn => "sign_in",
        /// Somebody ended sign-ins of their own.
        SignInEnd => "sign_in.end",
        /// A sign-in failed.
        SignInFail => "sign_in.fail",
        /// Somebody signed out.
        SignOut => "sign_out",
        /// Solo mode began.
        SoloBegin => "solo.begin",
        /// Solo mode ended.
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
        /// A team was made.
        TeamCreate => "team.create",
        /// Somebody joined a team.
        TeamJoin => "team.join",
        /// Somebody left a team.
        TeamLeave => "team.leave",
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
    /// How the live feed of pages about changesets tells it, after the actor's name; `None` for what it does not tell.
    #[must_use]
    pub const fn news(self) -> Option<&'static str> {
        Some(match self {
            Self::ChangeComment => "commented on a change",
            Self::ChangeDecide => "decided on a change",
            Self::ChangeEdit => "edited a change",
            Self::ChangeRebase => "rebased a change",
            Self::ChangeResume => "brought a deferred change back",
            Self::ChangeTakeBack => "took a decision back",
            Self::ChangesetClaim => "claimed a changeset",
            Self::ChangesetCommit => "committed",
            Self::ChangesetExpire => "ended a changeset in which nobody decided",
            Self::ChangesetPropose => "proposed a changeset",
            Self::ChangesetRelease => "released a changeset",
            Self::ChangesetWithdraw => "withdrew a changeset",
            Self::DreamEnd => "ended a dream",
            Self::MemoryFreeze => "froze a memory",
            Self::MemoryWrite => "changed the memory",
            _ => return None,
        })
    }

    /// Whether it moves the memory, so that what waits may be conflicted now.
    #[must_use]
    pub const fn moves_memory(self) -> bool {
        matches!(self, Self::ChangesetCommit | Self::MemoryWrite)
    }
}

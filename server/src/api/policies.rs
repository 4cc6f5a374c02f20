//! `/v1/policies`: read, written as drafts, tested against the past, moved on and stopped. The file
//! is that of `lucid policy export`.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use domain::{
    ids::{PolicyId, StoreId},
    policy::{PolicyFile, VersionState},
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Lucid, Outcome, PolicySummary, PolicyVersionRow, SetStop};

use super::{ApiError, Key, body, id};

/// `GET /v1/policies`.
pub async fn list(State(lucid): State<Lucid>, Key(actor): Key) -> Result<Json<Value>, ApiError> {
    let view = lucid.policies(&actor).await?;
    let stops = view.stops.iter().map(|(s, by)| {
        json!({"scope": s.scope, "stopped_at": s.stopped_at.map(domain::Timestamp::rfc3339), "stopped_by": by, "reason": s.reason})
    });
    Ok(Json(
        json!({"data": view.policies.iter().map(summary).collect::<Vec<_>>(), "stops": stops.collect::<Vec<_>>()}),
    ))
}

/// Saves the file as the draft of the policy of its name, or as a new policy.
pub async fn save(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let file: PolicyFile = body(&bytes, true)?;
    let (policy, _) = lucid.import_policy(&actor, &file, None).await?;
    shown(&lucid, &actor, policy).await
}

/// Returns what the file would do with the changes that wait now, and what comes of its tests.
/// Nothing is saved.
pub async fn try_out(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let file: PolicyFile = body(&bytes, true)?;
    let tried = lucid.try_policy(&actor, &file).await?;
    let queue = tried.iter().map(|w| json!({"change_id": w.change, "changeset_id": w.changeset, "title": w.title, "outcome": w.outcome}));
    Ok(Json(
        json!({"queue": queue.collect::<Vec<_>>(), "tests": file.run()}),
    ))
}

/// `GET /v1/policies/{id}`: a policy with its versions.
pub async fn retrieve(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path(policy): Path<String>,
) -> Result<Json<Value>, ApiError> {
    shown(&lucid, &actor, id(&policy, "policy")?).await
}

/// One version as a file.
pub async fn export(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((policy, number)): Path<(String, i64)>,
) -> Result<Json<PolicyFile>, ApiError> {
    Ok(Json(
        lucid
            .policy(&actor, id(&policy, "policy")?, Some(number))
            .await?
            .file,
    ))
}

/// How far back a back-test goes.
#[derive(Deserialize)]
pub struct Days {
    days: i64,
}

/// `POST /v1/policies/{id}/versions/{version}/back_test`: the version over past decisions.
pub async fn back_test(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((policy, number)): Path<(String, i64)>,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let asked: Days = body(&bytes, true)?;
    let report = lucid
        .back_test_policy(&actor, id(&policy, "policy")?, number, asked.days)
        .await?;
    Ok(Json(json!(report)))
}

/// The new state of a version.
#[derive(Deserialize)]
pub struct Move {
    state: VersionState,
}

/// `POST /v1/policies/{id}/versions/{version}/state`: moves a version to its next state.
pub async fn move_on(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    Path((policy, number)): Path<(String, i64)>,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let to = body::<Move>(&bytes, true)?.state;
    let policy: PolicyId = id(&policy, "policy")?;
    let waits = match lucid.move_policy_on(&actor, policy, number, to).await? {
        Outcome::Done => Value::Null,
        Outcome::Waits(setting) => json!(setting),
    };
    let Json(mut answer) = shown(&lucid, &actor, policy).await?;
    answer["waiting_setting_id"] = waits;
    Ok(Json(answer))
}

/// The policies to stop.
#[derive(Deserialize)]
pub struct Stop {
    memory_store_id: Option<String>,
    #[serde(default)]
    reason: String,
}

/// `POST /v1/policies/stop`: stops all policies, or those of a store, or ends that.
pub async fn stop(
    State(lucid): State<Lucid>,
    Key(actor): Key,
    bytes: Bytes,
) -> Result<Json<Value>, ApiError> {
    let asked: Stop = body(&bytes, true)?;
    let store = asked
        .memory_store_id
        .as_deref()
        .map(|s| id::<StoreId>(s, "store"))
        .transpose()?;
    lucid
        .stop_policies(
            &actor,
            &SetStop {
                store,
                reason: asked.reason,
            },
        )
        .await?;
    Ok(Json(json!({"stopped": true})))
}

fn version(v: &PolicyVersionRow) -> Value {
    json!({"version": v.number, "state": v.state, "since": v.state_since.rfc3339(), "sha256": v.sha256, "note": v.note})
}

fn summary(p: &PolicySummary) -> Value {
    let did = p.did.map(
        |d| json!({"applied": d.applied, "overridden": d.overridden, "sampled": d.sampled, "checked": d.checked, "confirmed": d.confirmed}),
    );
    let shadow = p.shadow.map(|s| json!({"asked": s.asked, "allowed": s.allowed, "approved": s.approved, "rejected": s.rejected}));
    json!({
        "id": p.id,
        "type": "policy",
        "name": p.name,
        "reason": p.file.reason,
        "owner": p.version.owner_name,
        "version": version(&p.version),
        "to_come": p.to_come.as_ref().map(version),
        "last_30_days": did,
        "shadow_30_days": shadow,
        "expires_on": p.file.applying.expires_on,
    })
}

async fn shown(
    lucid: &Lucid,
    actor: &domain::actor::Actor,
    policy: PolicyId,
) -> Result<Json<Value>, ApiError> {
    let view = lucid.policy(actor, policy, None).await?;
    let mut answer = summary(&view.summary);
    answer["versions"] = json!(view.versions.iter().map(version).collect::<Vec<_>>());
    answer["policy"] = json!(view.file);
    answer["tests"] = json!(view.tests);
    answer["differences"] = json!(view.differences);
    answer["back_test"] = json!(
        view.back_test.map(|b| json!({"run_at": b.row.run_at.rfc3339(), "days": b.row.days, "current": b.current, "report": b.report}))
    );
    Ok(Json(answer))
}

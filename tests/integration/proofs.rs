//! Tree heads and proofs: one entry is checked without the others, and that the trail only grew
//! without the whole of it.

use std::path::Path;

use audit::tlog::{BadProof, TreeHead};
use domain::actor::{Actor, Role};
use reqwest::StatusCode;
use service::{Kind, Lucid};

use crate::{
    http::Visitor,
    memory_guard::raw,
    support::process::{Served, run, user_link},
    world::{World, add, failing, on_both_engines},
};

on_both_engines!(
    every_entry_is_proved_and_growth_is_shown,
    a_changed_past_is_not_signed
);

const SECRET: [u8; 32] = [5; 32];

fn signing(world: World) -> World {
    World {
        lucid: world.lucid.clone().with_signing_key(SECRET),
        ..world
    }
}

async fn every_entry_is_proved_and_growth_is_shown(world: World) {
    let world = signing(world);
    let lucid = &world.lucid;
    let key = audit::checkpoint::public_key(&SECRET);
    let auditor = add(lucid, "auditor", Role::Auditor, vec![]).await;
    let kept = lucid.tree_head(&auditor).await.unwrap();
    let size = TreeHead::read(&kept, &key).unwrap().size;
    world.proposal().await;
    lucid
        .note_public_url("https://lucid.example/")
        .await
        .unwrap();
    let origin = lucid.trail_key().await.unwrap().unwrap().origin;
    assert_eq!(origin, "lucid.example/audit");
    let entries = world.verified().await;
    for seq in 1..=entries {
        let proof = lucid.prove_entry(&auditor, seq).await.unwrap();
        let shown = proof
            .verify(&key, None)
            .unwrap_or_else(|why| panic!("{seq}: {why}"));
        assert_eq!(
            (shown.entry, shown.head.size),
            (Some(seq), u64::try_from(entries).unwrap())
        );
    }
    // The name of the trail is its address: after that changed, an older head is one of another
    // trail.
    let growth = lucid.prove_growth(&auditor, size).await.unwrap();
    assert!(matches!(
        growth.verify(&key, Some(&kept)),
        Err(BadProof::Other { .. })
    ));
    let kept = lucid.tree_head(&auditor).await.unwrap();
    let size = TreeHead::read(&kept, &key).unwrap().size;
    world.import(&failing("later", "t9", 9)).await;
    let growth = lucid.prove_growth(&auditor, size).await.unwrap();
    let shown = growth.verify(&key, Some(&kept)).unwrap();
    assert_eq!((shown.from, shown.head.size), (Some(size), size + 1));
    for (seq, kind) in [
        (0, Kind::NotFound),
        (-1, Kind::NotFound),
        (i64::MIN, Kind::NotFound),
        (entries + 99, Kind::NotFound),
    ] {
        assert_eq!(
            lucid.prove_entry(&auditor, seq).await.unwrap_err().kind(),
            kind,
            "{seq}"
        );
    }
    assert_eq!(
        lucid
            .prove_growth(&auditor, size + 99)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    assert_eq!(
        lucid.prove_entry(&world.admin, 1).await.unwrap_err().kind(),
        Kind::Permission,
        "an entry's details are for who exports"
    );
    assert_eq!(
        lucid.tree_head(&world.reviewer).await.unwrap_err().kind(),
        Kind::Permission
    );
}

async fn a_changed_past_is_not_signed(world: World) {
    let world = signing(world);
    world.proposal().await;
    let kept = world.lucid.tree_head(&Actor::operator()).await.unwrap();
    let disarm = match &world.db {
        store::Db::Sqlite { .. } => "DROP TRIGGER audit_no_update",
        store::Db::Postgres(_) => "ALTER TABLE audit DISABLE TRIGGER ALL",
    };
    raw(&world.db, disarm).await.unwrap();
    raw(
        &world.db,
        "UPDATE audit SET actor = 'person:eve' WHERE seq = 2",
    )
    .await
    .unwrap();
    // Who has the tree in memory signs the trail as it was; who reads it anew signs nothing.
    assert_eq!(
        world.lucid.tree_head(&Actor::operator()).await.unwrap(),
        kept
    );
    let anew = Lucid::new(
        world.db.clone(),
        std::sync::Arc::new(|| domain::Timestamp(1)),
        std::sync::Arc::new(|b: &mut [u8]| b.fill(1)),
    );
    let error = anew
        .with_signing_key(SECRET)
        .tree_head(&Actor::operator())
        .await
        .unwrap_err();
    assert!(
        error.message().contains("audit trail"),
        "{}",
        error.message()
    );
}

fn audit(database: &str, args: &[&str]) -> (i32, String) {
    let args: Vec<&str> = ["--database", database, "audit"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let (code, out, err) = run(&args);
    (code, format!("{out}{err}"))
}

fn keep(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn proofs_are_checked_offline() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let (code, head) = audit(&database, &["tree-head"]);
    assert_eq!(code, 0, "{head}");
    let head = keep(folder.path(), "head.txt", &head);
    let new = [
        "--database",
        &database,
        "user",
        "add",
        "aud@lucid.example",
        "--name",
        "Aud",
        "--role",
        "auditor",
    ];
    let (code, _, err) = run(&new);
    assert_eq!(code, 0, "{err}");
    let visitor = Visitor::new(&served);
    let cookie = visitor
        .sign_in(&user_link(&database, "aud@lucid.example"))
        .await;
    let answer = visitor.get("/export/proof?entry=2", &cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let proof = answer.text().await.unwrap();
    let listed = visitor
        .get("/audit?who=operator&times=exact", &cookie)
        .await
        .text()
        .await
        .unwrap();
    assert!(
        listed.contains("<option value=\"operator\" selected"),
        "who is chosen from those who acted"
    );
    let rows = listed
        .split("class=\"timeline dated\"")
        .nth(1)
        .expect("entries are listed by day");
    assert!(
        rows.contains("The operator") && !rows.contains("signed in"),
        "only their entries"
    );
    let times = rows.split("<time").nth(1).unwrap();
    assert!(
        times.contains(" UTC<") && !times.contains("data-exact"),
        "exact times: {}",
        times.chars().take(200).collect::<String>()
    );
    let page = visitor
        .get("/audit/integrity", &cookie)
        .await
        .text()
        .await
        .unwrap();
    let key = page
        .split("<code class=\"wrap\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(key.len(), 64, "{key}");
    let file = keep(folder.path(), "proof.json", &proof);
    let (code, out) = audit(
        "sqlite:/nowhere/at/all.db",
        &["verify", "--proof", &file, "--public-key", &key],
    );
    assert!(
        code == 0 && out.contains("entry 2 is in the trail"),
        "{code} {out}"
    );
    let forged = keep(
        folder.path(),
        "forged.json",
        &proof.replacen("\"actor\":\"", "\"actor\":\"x", 1),
    );
    let (code, out) = audit(
        "sqlite:/nowhere/at/all.db",
        &["verify", "--proof", &forged, "--public-key", &key],
    );
    assert!(code == 1 && out.contains("does NOT hold"), "{code} {out}");
    let (code, out) = audit(
        "sqlite:/nowhere/at/all.db",
        &["verify", "--proof", &file, "--public-key", &"0".repeat(64)],
    );
    assert!(code == 1 && out.contains("does NOT hold"), "{code} {out}");
    let (code, grown) = audit(&database, &["prove", "--since", &head]);
    assert_eq!(code, 0, "{grown}");
    let grown = keep(folder.path(), "grown.json", &grown);
    let (code, out) = audit(
        "sqlite:/nowhere/at/all.db",
        &[
            "verify",
            "--proof",
            &grown,
            "--tree-head",
            &head,
            "--public-key",
            &key,
        ],
    );
    assert!(
        code == 0 && out.contains("nothing before was changed"),
        "{code} {out}"
    );
    let (code, out) = audit(&database, &["prove", "--entry", "99999"]);
    assert!(code != 0 && out.contains("entry"), "{code} {out}");
}

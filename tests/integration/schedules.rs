//! Schedules: each tick once, and only when there is something to dream about.

use service::{Kind, NewSchedule};

use crate::world::{World, failing, on_both_engines};

on_both_engines!(a_tick_fires_once, a_tick_waits_for_sessions_and_silence);

fn nightly() -> NewSchedule {
    NewSchedule {
        cron: "0 3 * * *".into(),
        time_zone: "Europe/Berlin".into(),
        min_sessions: 2,
        idle_minutes: 60,
        enabled: true,
        distiller: "builtin".into(),
    }
}

async fn a_tick_fires_once(world: World) {
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    world
        .lucid
        .set_schedule(&world.admin, world.store, &nightly())
        .await
        .unwrap();
    assert_eq!(
        world.lucid.fire_schedules().await.unwrap(),
        0,
        "its time has not come"
    );
    world.wait_seconds(24 * 3_600);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let lucid = world.lucid.clone();
        tasks.spawn(async move { lucid.fire_schedules().await.unwrap() });
    }
    let fired: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(fired, 1);
    assert_eq!(
        world
            .lucid
            .dreams(&world.admin, Some(world.store), None)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
    let next = world
        .lucid
        .schedule(&world.admin, world.store)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.next_run_at.rfc3339(), "2026-11-24T02:00:00Z");
}

async fn a_tick_waits_for_sessions_and_silence(world: World) {
    world
        .lucid
        .set_schedule(&world.admin, world.store, &nightly())
        .await
        .unwrap();
    world.wait_seconds(24 * 3_600);
    assert_eq!(world.lucid.fire_schedules().await.unwrap(), 0);
    let result = world
        .lucid
        .schedule(&world.admin, world.store)
        .await
        .unwrap()
        .unwrap()
        .last_result;
    assert_eq!(result.as_deref(), Some("0 new sessions; it waits for 2"));
    world.wait_seconds(24 * 3_600);
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    assert_eq!(
        world.lucid.fire_schedules().await.unwrap(),
        0,
        "a session grew just now"
    );
    world.wait_seconds(24 * 3_600);
    assert_eq!(world.lucid.fire_schedules().await.unwrap(), 1);
    let refused = world
        .lucid
        .set_schedule(&world.reviewer, world.store, &nightly())
        .await
        .unwrap_err();
    assert_eq!(
        refused.kind(),
        Kind::Permission,
        "only admins change schedules"
    );
    let wrong = NewSchedule {
        cron: "at night".into(),
        ..nightly()
    };
    assert_eq!(
        world
            .lucid
            .set_schedule(&world.admin, world.store, &wrong)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

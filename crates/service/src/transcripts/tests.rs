//! Each format, and what is said of bad input.

use domain::event::{EventKind, OutcomeResult};

use super::*;

fn read_text(text: &str, options: &Options) -> (Vec<Spooled>, Vec<Problem>, Vec<Vec<domain::event::Event>>) {
    let mut spool = Spool::new().unwrap();
    let source = Source { name: "t.jsonl".into(), stem: "t".into(), whole: false };
    read_from(text.as_bytes(), &source, options, &mut spool, &mut |_| {}).unwrap();
    let (sessions, problems, mut reader) = spool.finish().unwrap();
    let events = sessions.iter().map(|s| (0..s.len()).map(|i| reader.event(s, i).unwrap()).collect()).collect();
    (sessions, problems, events)
}

#[test]
fn openai_chats() {
    let text = r#"[{"task_id": 7, "trial": 1, "reward": 1.0, "user": "u1", "traj": [
        {"role": "system", "content": "Rules"}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "book", "arguments": "{\"a\":1}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "Error: no seats"}]}]"#;
    let (sessions, problems, events) = read_text(text, &Options { team: Some("ops".into()), ..Options::default() });
    assert!(problems.is_empty(), "{problems:?}");
    let head = &sessions[0].head;
    assert_eq!((head.task_key.as_deref(), head.subject.as_deref(), head.team.as_deref()), (Some("7"), Some("u1"), Some("ops")));
    assert_eq!(head.outcome.unwrap().result, OutcomeResult::Success);
    assert_eq!(head.metadata.get("trial"), Some(&serde_json::json!(1)));
    let kinds: Vec<_> = events[0].iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::System, EventKind::User, EventKind::ToolUse, EventKind::ToolResult]);
    assert_eq!((events[0][3].tool.as_deref(), events[0][3].is_error), (Some("book"), true));
    assert_eq!(events[0][1].text, "Hi");
    let ids: Vec<_> = events[0].iter().filter_map(|e| e.external_id.as_deref()).collect();
    assert_eq!(ids, ["0", "1", "2", "3"]);
}

#[test]
fn a_message_that_says_and_calls_is_known_by_one_index() {
    let call = r#"{"id":"c","function":{"name":"f","arguments":{}}}"#;
    let text = format!(
        r#"{{"messages":[{{"role":"user","content":"a"}},{{"role":"assistant","content":"b","tool_calls":[{call},{call}]}},{{"role":"tool","content":"c","tool_call_id":"c"}}]}}"#
    );
    let (_, _, events) = read_text(&text, &Options::default());
    let ids: Vec<_> = events[0].iter().filter_map(|e| e.external_id.as_deref()).collect();
    assert_eq!(ids, ["0", "1", "1#1", "1#2", "2"]);
}

#[test]
fn other_names_for_subject_and_task() {
    let options = Options { subject_key: Some("customer".into()), task_key: Some("ticket".into()), ..Options::default() };
    let (sessions, ..) = read_text(r#"{"customer":"c9","ticket":"T-1","id":"x","messages":[{"role":"user","content":"a"}]}"#, &options);
    let head = &sessions[0].head;
    assert_eq!((head.subject.as_deref(), head.task_key.as_deref(), head.external_id.as_deref()), (Some("c9"), Some("T-1"), Some("x")));
}

#[test]
fn claude_code_lines() {
    let text = concat!(
        r#"{"type":"summary","summary":"Old","leafUuid":"z"}"#,
        "\n",
        r#"{"type":"user","uuid":"u1","sessionId":"s1","cwd":"/w","timestamp":"2026-01-02T03:04:05Z","message":{"role":"user","content":"Fix it"}}"#,
        "\n",
        r#"{"type":"assistant","uuid":"u2","sessionId":"s1","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"ok"},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"make"}}]}}"#,
        "\n",
        r#"{"type":"user","uuid":"u3","sessionId":"s1","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"Exit code 2"}]}}"#,
        "\n",
        r#"{"type":"file-history-snapshot","messageId":"m"}"#,
        "\n",
        r#"{"type":"result","subtype":"success","session_id":"s1","is_error":false,"result":"Done"}"#,
        "\n",
    );
    let (sessions, problems, events) = read_text(text, &Options::default());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].head.external_id.as_deref(), Some("s1"));
    assert_eq!(sessions[0].head.outcome.unwrap().result, OutcomeResult::Success);
    let kinds: Vec<_> = events[0].iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::User,
            EventKind::Thinking,
            EventKind::Agent,
            EventKind::ToolUse,
            EventKind::ToolResult,
            EventKind::Raw,
            EventKind::Outcome
        ]
    );
    assert_eq!(events[0][4].tool.as_deref(), Some("Bash"));
    assert!(events[0][4].is_error);
    assert_eq!(events[0][2].external_id.as_deref(), Some("u2#1"));
    assert!(events[0][0].occurred_at.is_some() && events[0][1].occurred_at.is_none());
}

#[test]
fn managed_agents_events() {
    let text = concat!(
        r#"{"type":"session","id":"sesn_1","agent":"triage","subject":"p1","team":"ops","task_key":"t1"}"#,
        "\n",
        r#"{"type":"user.message","id":"e1","content":[{"type":"text","text":"Look"}],"processed_at":"2026-01-02T03:04:05Z"}"#,
        "\n",
        r#"{"type":"agent.tool_use","id":"e2","name":"query","input":{"q":1}}"#,
        "\n",
        r#"{"type":"agent.tool_result","id":"e3","tool_use_id":"e2","content":[{"type":"text","text":"{\"error\":\"too wide\"}"}]}"#,
        "\n",
        r#"{"type":"span.outcome_evaluation_end","id":"e4","result":"needs_revision"}"#,
        "\n",
        r#"{"type":"session.status_idle","id":"e5"}"#,
        "\n",
    );
    let (sessions, problems, events) = read_text(text, &Options::default());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(sessions[0].head.agent.as_deref(), Some("triage"));
    assert_eq!(sessions[0].head.outcome.unwrap().result, OutcomeResult::Failure);
    assert_eq!((events[0][2].tool.as_deref(), events[0][2].is_error), (Some("query"), true));
    assert_eq!(events[0][4].kind, EventKind::Raw);
}

#[test]
fn a_broken_line_leaves_out_its_session_and_no_other() {
    let good = r#"{"id":"a","messages":[{"role":"user","content":"x"}]}"#;
    let text = format!("{good}\n{{\"id\":\"b\",\"messages\":[{{\"ro\n{}\n", good.replace("\"a\"", "\"c\""));
    let (sessions, problems, _) = read_text(&text, &Options::default());
    let ids: Vec<_> = sessions.iter().filter_map(|s| s.head.external_id.as_deref()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("t.jsonl", 2));
    assert!(problems[0].reason.contains("not valid JSON"), "{}", problems[0]);

    let line = |session: &str, text: &str| format!(r#"{{"type":"user","sessionId":"{session}","message":{{"content":"{text}"}}}}"#);
    let text = format!("{}\n{}\n{{cut\n", line("s1", "a"), line("s2", "b"));
    let (sessions, problems, _) = read_text(&text, &Options::default());
    let ids: Vec<_> = sessions.iter().filter_map(|s| s.head.external_id.as_deref()).collect();
    assert_eq!((ids, problems[0].line), (vec!["s1"], 3));
}

#[test]
fn a_broken_first_line_dooms_the_session_that_follows_it_and_a_chat_only_itself() {
    let line = |session: &str, text: &str| format!(r#"{{"type":"user","sessionId":"{session}","message":{{"content":"{text}"}}}}"#);
    for format in [Format::Auto, Format::ClaudeCode] {
        let options = Options { format, ..Options::default() };
        let (sessions, problems, _) = read_text(&format!("{{cut\n{}\n{}\n", line("s1", "a"), line("s2", "b")), &options);
        let ids: Vec<_> = sessions.iter().filter_map(|s| s.head.external_id.as_deref()).collect();
        assert_eq!((ids, problems.len()), (vec!["s2"], 1), "{format:?}");
    }
    let chat = |id: &str| format!(r#"{{"id":"{id}","messages":[{{"role":"user","content":"x"}}]}}"#);
    let (sessions, problems, _) = read_text(&format!("{}\n\"\\ud800\n{{cut\n{}", chat("a"), chat("b")), &Options::default());
    let ids: Vec<_> = sessions.iter().filter_map(|s| s.head.external_id.as_deref()).collect();
    assert_eq!((ids, problems.len()), (vec!["a", "b"], 2));
}

#[test]
fn a_sub_agent_is_a_session_of_its_own() {
    let line = |agent: &str| format!(r#"{{"type":"user","sessionId":"s1"{agent},"message":{{"content":"a"}}}}"#);
    let (sessions, ..) = read_text(&format!("{}\n{}\n", line(""), line(r#","agentId":"x","isSidechain":true"#)), &Options::default());
    let ids: Vec<_> = sessions.iter().filter_map(|s| s.head.external_id.as_deref()).collect();
    assert_eq!(ids, ["s1", "s1/x"]);
}

#[test]
fn what_is_no_transcript_is_said_to_be_none() {
    for (text, why) in [("", "empty"), ("hello", "not valid JSON"), ("{\"a\":1}", "none of the formats"), ("[1,2]", "not valid JSON")] {
        let (sessions, problems, _) = read_text(text, &Options::default());
        assert!(sessions.is_empty());
        assert!(problems[0].reason.contains(why), "{text:?}: {}", problems[0]);
    }
}

#[test]
fn the_same_content_has_the_same_key_and_growth_keeps_the_prefix() {
    let one = r#"{"messages":[{"role":"user","content":"a"}]}"#;
    let key = |text: &str| read_text(text, &Options::default()).0[0].import_key("scope");
    assert_eq!(key(one), key(one));
    assert_ne!(key(one), key(&one.replace("\"a\"", "\"b\"")));
    let grown = r#"{"type":"user.message","id":"1","content":"a"}"#;
    let (before, ..) = read_text(grown, &Options::default());
    let (after, _, events) = read_text(&format!("{grown}\n{}", grown.replace('1', "2")), &Options::default());
    assert_eq!(before[0].import_key("s"), after[0].import_key("s"));
    assert_eq!(before[0].digest, spool::roll("", &events[0][0]));
}

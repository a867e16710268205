//! The outbox of what receivers are told, with a clock of the test's own: what is begun, by whom, and when again.

use super::super::super::{Asked, Decided, Delivery, Provisioned, Store as _, Taking, Tried};
use super::super::instances::tests::new;
use super::super::tests::{Fixture, SECOND, START};
use jiff::{SignedDuration, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(START + seconds * SECOND).unwrap()
}

impl Fixture {
    /// An instance at that host, and as many of its requests that have ended.
    async fn ended(&self, name: &str, host: &str, count: usize) {
        assert!(matches!(self.store.provision(new(name, host)).await, Ok(Provisioned::Fresh(_))));
        for n in 0..count {
            let id = format!("{name}-{n}");
            let action = self.action(&format!("fleet/{name}"), &id, 1);
            assert!(matches!(self.store.ask(action, 100).await, Ok(Asked::Fresh(_))));
            assert!(matches!(self.decide(&format!("key-{id}")).await, Ok(Decided::Accepted(_))));
        }
    }

    async fn take(&self, most: usize, under_way: &[(&str, usize)]) -> Vec<Delivery> {
        let under_way = under_way.iter().map(|(host, count)| ((*host).to_owned(), *count)).collect();
        let taking = Taking { most, most_to_one: 4, under_way, lease: SignedDuration::from_secs(30) };
        self.store.take_deliveries(taking).await.unwrap()
    }

    async fn due(&self, full: &[&str], seconds: i64) -> Option<Timestamp> {
        let full = full.iter().map(|host| (*host).to_owned()).collect();
        self.store.delivery_due(full, at(seconds)).await.unwrap()
    }
}

fn hosts(taken: &[Delivery]) -> Vec<&str> {
    let mut hosts: Vec<_> = taken.iter().map(|delivery| delivery.host.as_str()).collect();
    hosts.sort_unstable();
    hosts
}

#[tokio::test]
async fn no_host_takes_the_room_of_another() {
    let fixture = Fixture::new().await;
    fixture.ended("a", "stuck", 9).await;
    fixture.ended("b", "quick", 2).await;
    assert_eq!(fixture.due(&[], 0).await, Some(at(0)));
    let first = fixture.take(64, &[("stuck", 1)]).await;
    assert_eq!(hosts(&first), ["quick", "quick", "stuck", "stuck", "stuck"]);
    assert_eq!(hosts(&fixture.take(64, &[("stuck", 4)]).await), Vec::<&str>::new());
    assert_eq!(fixture.due(&["stuck"], 0).await, Some(at(30)), "the other host's, should they be lost");
    assert_eq!(hosts(&fixture.take(2, &[]).await), ["stuck", "stuck"]);
}

#[tokio::test]
async fn a_try_is_one_gateways_until_it_counts_as_lost() {
    let fixture = Fixture::new().await;
    fixture.ended("a", "h", 1).await;
    let first = fixture.take(9, &[]).await.remove(0);
    assert_eq!((first.tries, first.action_id.as_str(), first.resolved_at), (1, "a-0", at(0)));
    assert!(fixture.take(9, &[]).await.is_empty());
    fixture.set(START + 30 * SECOND);
    let second = fixture.take(9, &[]).await.remove(0);
    assert_eq!((second.tries, &second.id), (2, &first.id));
    // What comes late of the first changes nothing for the second, but that it has been told counts.
    let settle =
        async |tries, tried| fixture.store.settle_delivery(first.id.clone(), tries, tried).await.unwrap();
    settle(1, Tried::Again(at(31))).await;
    settle(1, Tried::GivenUp("x".into())).await;
    assert_eq!(fixture.due(&[], 30).await, Some(at(60)));
    settle(1, Tried::Delivered).await;
    assert_eq!(fixture.due(&[], 30).await, None);
    settle(2, Tried::Again(at(31))).await;
    assert_eq!(fixture.due(&[], 30).await, None, "what has been told stays told");
}

#[tokio::test]
async fn an_instance_past_its_time_is_told_nothing_and_what_waits_is_not_forgotten() {
    let fixture = Fixture::new().await;
    fixture.ended("a", "h", 1).await;
    assert_eq!(fixture.store.forget(at(10 * 86_400), 9).await, Ok(0), "it has not been told");
    fixture.set(START + 86_400 * SECOND);
    assert!(fixture.take(9, &[]).await.is_empty());
    let rows = fixture.kept.rows("SELECT d.state, i.delivery, i.signing_secret FROM delivery d JOIN instance i ON i.id = d.instance_id");
    assert_eq!(rows.await, ["given_up|ended|NULL"]);
    fixture.ask("last").await;
    assert_eq!(fixture.store.forget(at(10 * 86_400), 9).await, Ok(1));
}

#[tokio::test]
async fn the_secret_of_an_instance_goes_with_its_time_though_nothing_waits() {
    let fixture = Fixture::new().await;
    fixture.ended("a", "h", 0).await;
    let kept = async || fixture.kept.rows("SELECT delivery, signing_secret FROM instance").await;
    assert_eq!(fixture.store.expire().await, Ok(Some(at(86_400))));
    assert_eq!(kept().await, ["on|whsec_s"]);
    fixture.set(START + 86_400 * SECOND);
    assert_eq!(fixture.store.expire().await, Ok(None));
    assert_eq!(kept().await, ["ended|NULL"]);
}

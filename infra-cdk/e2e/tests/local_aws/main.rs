//! The whole system on a local AWS: the CDK app as it is deployed, with real functions; fed with real readings, asked over HTTP,
//! and taken down again.
//!
//! ```text
//!   producer, plain client, schedule ─► stream ─► stream-consumer ─► tables ─► query-api ─► API ─┐
//!                                         └─► Firehose ─► S3 ─► wattstream replay ───────────────┤
//!   the same payloads ─► wattstream, a process on this machine ─► HTTP ──────────────────────────┤ equal?
//!   the same payloads ─► sums in whole milliwatt-hours, counted here ────────────────────────────┘
//! ```
//!
//! What must always hold: everything is asked of the deployed stack through AWS's own APIs; one local AWS serves all of it, because
//! a deployment is most of the time that the test takes.

mod alerts;
mod api;
mod archive;
mod aws;
mod cdk;
mod dead_letters;
mod functions;
mod input;
mod inventory;
mod one_machine;
mod parity;
mod progress;
mod silences;
mod sums;
mod wattstream;

use wattstream_aws::{KinesisProducer, LocalAws, LocalEndpoints, ProducerSettings};
use wattstream_engine::ports::Producer;
use wattstream_test_env::local_aws;

use alerts::Subscriber;
use api::Api;
use aws::Aws;
use cdk::Cdk;
use input::Input;
use one_machine::OneMachine;
use progress::Progress;
use sums::Sums;
use wattstream::Wattstream;

#[tokio::test]
async fn the_deployed_app_makes_of_its_stream_what_one_machine_makes_of_it_and_leaves_nothing_behind() {
    let Some(server) = local_aws::ministack() else { return };
    let Some(cdk) = Cdk::find(server.url()) else { return };
    let mut progress = Progress::start();
    let aws = Aws::at(server.url());
    let local = LocalAws::at(&LocalEndpoints::all_at(server.url())).await;
    let caller = aws.create_user("e2e");
    let subscriber = Subscriber::create(&local).await;

    cdk.bootstrap();
    let before = aws.inventory();
    progress.tell("bootstrapped");
    let stack = cdk.deploy(&functions::staged(cdk.folder()));
    subscriber.subscribe(&local, stack.output("AlertsTopicArn")).await;
    progress.tell("deployed");

    let api = Api::new(server.url(), stack.output("ApiUrl"));
    api.lets_in_only(&caller);
    progress.tell("asked by strangers");

    let input = Input::generate();
    let stream = stack.output("StreamName");
    let producer = KinesisProducer::new(local.clients(), stream, ProducerSettings::default());
    for records in &input.through_producer {
        producer.append(records.clone()).await.expect("the stream takes records");
    }
    aws.put_plain_records(stream, &input.through_plain_client, cdk.folder());
    progress.tell("fed");

    let wattstream = Wattstream::of_stack(server.url(), &stack);
    wattstream.check_doctor();
    progress.tell("seen by the doctor");

    let fleet = parity::wait_for_scheduled_fleet(&api, &caller, &input);
    aws.stop_schedules();
    progress.tell("met by the scheduled fleet");

    let archive = archive::check(&aws, &stack, cdk.folder());
    let payloads = archive.payloads();
    input.insist_on_all_of(&payloads, &fleet);
    progress.tell("archived");

    archive.wait_until_consumed(&aws, &stack);
    progress.tell("consumed");

    let sums = Sums::of(&payloads);
    let one_machine = OneMachine::fed(&wattstream, archive.payload_file(), cdk.folder());
    parity::check(&api, &caller, &one_machine, &sums);
    assert_eq!(wattstream.summary(&api.path_url(), &caller), api.json(&caller, "/summary"));
    progress.tell("compared with one machine");

    subscriber.check(&local, &one_machine).await;
    dead_letters::check(&aws, &api, &caller, &stack, &sums);
    silences::check(&aws, &api, &caller, input.hourly_site(), &sums);
    progress.tell("told of alerts, dead letters and silences");

    archive.check_replay(&wattstream, &one_machine, cdk.folder());
    progress.tell("rebuilt from the archive");

    let kept = stack.kept(&aws);
    aws.inventory().insist_on_each_of(stack.types(), &before);
    archive.empty(&aws);
    cdk.destroy();
    aws.inventory().insist_on_nothing_but(&before, &kept);
    progress.tell("destroyed");
}

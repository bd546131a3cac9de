//! The contract of [`Checkpoints`].

use wattstream_domain::{SequenceNumber, ShardId};
use wattstream_engine::ports::{Checkpoint, Checkpoints};

/// Runs the contract of [`Checkpoints`].
pub async fn checkpoints<S: Checkpoints>(make: impl AsyncFn() -> S) {
    let store = make().await;
    assert_eq!(read(&store, 0).await, None, "an empty store has no checkpoint");
    let kinesis = "49590338271490256608559692538361571095921575989136588898".parse().expect("a number");
    let steps = [
        (0, Checkpoint::At(9.into())),
        (0, Checkpoint::At(10.into())),
        (1, Checkpoint::At(kinesis)),
        (0, Checkpoint::At(10.into())),
        (2, Checkpoint::At(SequenceNumber::ZERO)),
        (1, Checkpoint::End),
        // An operator may send a reader back.
        (0, Checkpoint::At(3.into())),
    ];
    for (shard, checkpoint) in steps {
        store.put_checkpoint(ShardId(shard), checkpoint).await.expect("a checkpoint is moved");
        assert_eq!(read(&store, shard).await, Some(checkpoint), "shard {shard}");
    }
    assert_eq!(read(&store, 0).await, Some(Checkpoint::At(3.into())), "shards do not share a checkpoint");
    assert_eq!(read(&store, 1).await, Some(Checkpoint::End));
    assert_eq!(read(&store, 2).await, Some(Checkpoint::At(SequenceNumber::ZERO)));
    assert_eq!(read(&store, 3).await, None);
}

async fn read(store: &impl Checkpoints, shard: u64) -> Option<Checkpoint> {
    store.checkpoint(ShardId(shard)).await.expect("a checkpoint is read")
}

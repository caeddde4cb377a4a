// SPDX-License-Identifier: Apache-2.0

using FsCheck;
using FsCheck.Fluent;
using Weft.Local.Controllers.Deployments;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class RolloutTests
{
    [Fact]
    public void Every_rollout_arrives_and_never_has_too_many_or_too_few_pods() =>
        Prop.ForAll(
            Gen.Choose(0, 12).SelectMany(replicas => Gen.Choose(0, 4).SelectMany(surge => Gen.Choose(0, 4).Select(unavailable => (replicas, surge, unavailable)))).ToArbitrary(),
            shape =>
            {
                var rollout = new Rollout(shape.replicas, shape.surge, shape.surge == 0 ? Math.Max(1, shape.unavailable) : shape.unavailable, Recreate: false);
                long fresh = 0, old = shape.replicas;
                for (var turn = 0; turn < 100; turn++)
                {
                    var (nextFresh, changes) = rollout.Next(new("new", fresh, fresh, fresh), [new("old", old, old, old)]);
                    var nextOld = changes.GetValueOrDefault("old", old);
                    // The new pods of this turn do not serve yet.
                    Assert.True(Math.Min(fresh, nextFresh) + nextOld >= shape.replicas - rollout.MaxUnavailable, $"too few: {fresh}/{old} -> {nextFresh}/{nextOld}");
                    Assert.True(nextFresh + old <= shape.replicas + rollout.MaxSurge || nextFresh <= fresh, $"too many: {fresh}/{old} -> {nextFresh}/{nextOld}");
                    (fresh, old) = (nextFresh, nextOld);
                    if (fresh == shape.replicas && old == 0)
                    {
                        return;
                    }
                }

                Assert.Fail($"{shape} never arrives: {fresh} new, {old} old");
            }).QuickCheckThrowOnFailure();
}

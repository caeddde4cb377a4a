// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Agent;
using Xunit;

namespace Weft.Local.Tests.Agent;

public sealed class PodStopTests
{
    [Fact]
    public async Task What_comes_after_a_pod_s_end_is_heard_to_no_effect()
    {
        var stop = new PodStop(TimeProvider.System);
        await stop.RunAsync();
        stop.Dispose();

        // The informer tells of the deletion at any time, also between a pod's end and its being forgotten.
        stop.Allow(TimeSpan.FromSeconds(30));
        stop.Now();
        Assert.True(stop.Killed.IsCancellationRequested);
    }
}

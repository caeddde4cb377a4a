// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests.Control;

public sealed class WorkloadIdentityTests
{
    [Theory]
    [InlineData(60)]
    [InlineData(0)]
    public void A_new_certificate_is_used_for_about_half_of_what_is_left_of_it_however_far_its_beginning_was_set_back(int setBackSeconds)
    {
        var now = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var identity = new WorkloadIdentity("", "", "", now.AddSeconds(-setBackSeconds), now.AddSeconds(30));
        var random = new Random(7);
        for (var i = 0; i < 1000; i++)
        {
            Assert.InRange((identity.RenewAt(now, random) - now).TotalSeconds, 13.5, 16.5);
        }
    }
}

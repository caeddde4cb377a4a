// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Outliers;
using Weft.Proxy.Tests.Balancing;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Outliers;

public sealed class OutlierDetectorTests
{
    private static readonly OutlierPlan _plan = new(5, 0, 0, false, 10_000, 30_000, 300_000, 100);

    private readonly ManualClock _clock = new();
    private readonly HealthTable _table = new(2);
    private readonly List<string> _told = [];
    private readonly OutlierDetector _detector;
    private EndpointState[][] _loops = [];

    public OutlierDetectorTests() => _detector = new OutlierDetector(_table, _clock, _told.Add);

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void So_many_5xx_in_a_row_eject(int errors, bool ejects)
    {
        Use(_plan, 3);
        Fail(0, errors);
        Assert.Equal(ejects, IsOut(0));
        Assert.Equal(ejects ? 1 : 0, _detector.Enforced(EjectionReason.ServerErrors));
        Assert.Equal(ejects ? 1 : 0, _told.Count);
    }

    [Fact]
    public void Loops_count_together_and_one_good_answer_begins_anew()
    {
        Use(_plan, 3);
        for (var i = 0; i < 4; i++)
        {
            _detector.Answered(_loops[i % 2][0], 500);
        }

        _detector.Answered(_loops[1][0], 200);
        Fail(0, 4);
        Assert.False(IsOut(0));
        _detector.Answered(_loops[1][0], 503);
        Assert.True(IsOut(0));
    }

    [Theory]
    [InlineData(429, true)]
    [InlineData(503, false)]
    public void Where_statuses_are_named_they_and_no_others_count(int status, bool ejects)
    {
        Use(_plan with { Consecutive5xx = 3, ConsecutiveGatewayErrors = 3, ErrorCodes = [429] }, 3);
        for (var i = 0; i < 3; i++)
        {
            _detector.Answered(_loops[0][0], status);
        }

        Assert.Equal(ejects, IsOut(0));
    }

    [Theory]
    [InlineData(502, true)]
    [InlineData(503, true)]
    [InlineData(504, true)]
    [InlineData(500, false)]
    [InlineData(501, false)]
    [InlineData(499, false)]
    public void Gateway_errors_are_counted_apart(int status, bool ejects)
    {
        Use(_plan with { Consecutive5xx = 0, ConsecutiveGatewayErrors = 2 }, 3);
        Fail(0, 2, status);
        Assert.Equal(ejects, IsOut(0));
    }

    [Fact]
    public void Local_failures_count_as_503_unless_they_are_split_off()
    {
        Use(_plan with { ConsecutiveGatewayErrors = 2 }, 3);
        _detector.FailedLocally(_loops[0][0]);
        _detector.FailedLocally(_loops[0][0]);
        Assert.True(IsOut(0));

        Use(_plan with { ConsecutiveGatewayErrors = 2, SplitLocalOrigin = true, ConsecutiveLocalOrigin = 3 }, 3);
        _detector.FailedLocally(_loops[0][1]);
        _detector.FailedLocally(_loops[0][1]);
        _detector.Reached(_loops[1][1], isAll: false);
        _detector.FailedLocally(_loops[0][1]);
        _detector.FailedLocally(_loops[0][1]);
        Assert.False(IsOut(1));
        _detector.FailedLocally(_loops[0][1]);
        Assert.True(IsOut(1));
        Assert.Equal(1, _detector.Enforced(EjectionReason.LocalFailures));
    }

    [Fact]
    public void Each_ejection_lasts_longer_and_good_behaviour_shortens_the_next()
    {
        Use(_plan, 3);
        Assert.Equal(30, EjectAndWait());
        Assert.Equal(60, EjectAndWait());
        Assert.Equal(90, EjectAndWait());
        for (var i = 0; i < 2; i++)
        {
            Advance(10);
        }

        Assert.Equal(60, EjectAndWait());
    }

    [Fact]
    public void No_ejection_lasts_longer_than_the_longest()
    {
        Use(_plan with { MaxEjectionMs = 70_000 }, 3);
        Assert.Equal(30, EjectAndWait());
        Assert.Equal(60, EjectAndWait());
        Assert.Equal(70, EjectAndWait());
        Assert.Equal(70, EjectAndWait());
    }

    [Theory]
    [InlineData(10, 0, 1)]
    [InlineData(10, 10, 1)]
    [InlineData(10, 29, 2)]
    [InlineData(10, 30, 3)]
    [InlineData(3, 50, 1)]
    [InlineData(2, 100, 2)]
    public void One_endpoint_may_always_be_ejected_and_others_up_to_the_limit(int endpoints, int percent, int ejected)
    {
        Use(_plan with { MaxEjectionPercent = percent }, endpoints);
        for (var i = 0; i < endpoints; i++)
        {
            Fail(i, 5);
        }

        Assert.Equal(ejected, _detector.Active());
        Assert.Equal(endpoints - ejected, _detector.Overflow);
        Assert.Equal(endpoints, _detector.Detected(EjectionReason.ServerErrors));
    }

    [Theory]
    [InlineData(5, 100, 1900, true)]
    [InlineData(6, 100, 1900, false)]
    [InlineData(5, 101, 1900, false)]
    [InlineData(5, 100, 2100, false)]
    public void A_success_rate_far_below_the_others_ejects(int minHosts, int volume, int factor, bool ejects)
    {
        Use(_plan with { Consecutive5xx = 0, SuccessRate = new SuccessRatePlan(minHosts, volume, factor) }, 5);
        for (var i = 0; i < 5; i++)
        {
            // Deviations of one among five are at most two standard deviations.
            Mix(i, i == 0 ? 50 : 100, 100);
        }

        _detector.Sweep();
        Assert.Equal(ejects, IsOut(0));
        Assert.Equal(ejects ? 1 : 0, _detector.Enforced(EjectionReason.SuccessRate));
        Assert.Equal(50, _table.All[0].Ejections.SuccessRate);
        Assert.Equal(1, _detector.Active() + (ejects ? 0 : 1));
    }

    [Theory]
    [InlineData(84, true)]
    [InlineData(85, true)]
    [InlineData(86, false)]
    public void A_share_of_failures_at_the_threshold_ejects(int threshold, bool ejects)
    {
        Use(_plan with { Consecutive5xx = 0, FailurePercentage = new FailurePercentagePlan(threshold, 2, 20) }, 2);
        Mix(0, 15, 100);
        Mix(1, 100, 100);
        _detector.Sweep();
        Assert.Equal(ejects, IsOut(0));
        Assert.False(IsOut(1));
    }

    [Fact]
    public void Rates_are_those_of_the_last_interval()
    {
        Use(_plan with { Consecutive5xx = 0, FailurePercentage = new FailurePercentagePlan(50, 1, 10) }, 2);
        Mix(0, 9, 9);
        _detector.Sweep();
        Mix(0, 1, 9);
        _detector.Sweep();
        Assert.False(IsOut(0));
        Mix(0, 5, 10);
        _detector.Sweep();
        Assert.True(IsOut(0));
    }

    [Fact]
    public void Without_a_plan_everybody_is_back_and_nothing_is_ejected()
    {
        Use(_plan, 3);
        Fail(0, 5);
        Use(null, 3);
        Assert.False(IsOut(0));
        Fail(0, 50);
        Assert.False(IsOut(0));
        Assert.Equal(2, _told.Count);
    }

    [Fact]
    public void Threads_that_report_at_once_eject_once()
    {
        Use(_plan with { Consecutive5xx = 100 }, 2);
        var threads = Enumerable.Range(0, 2).Select(loop => new Thread(() =>
        {
            for (var i = 0; i < 100_000; i++)
            {
                _detector.Answered(_loops[loop][0], 500);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.True(IsOut(0));
        Assert.Equal((1, 1L), (_told.Count, _detector.Enforced(EjectionReason.ServerErrors)));
        Assert.Equal(200_000, _table.All[0].Sum(tally => tally.Failures));
    }

    [Fact]
    public void Reporting_answers_allocates_nothing()
    {
        Use(_plan, 3);
        Fail(0, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _detector.Answered(_loops[0][1], i % 2 == 0 ? 200 : 500);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private void Use(OutlierPlan? plan, int endpoints)
    {
        var plans = Enumerable.Range(0, endpoints).Select(i => TestSet.Endpoint(i)).ToEquatableArray();
        _table.Update(plans);
        _loops = [.. Enumerable.Range(0, 2).Select(loop => _table.All.Select((health, i) => new EndpointState(health, loop, plans[i], 0)).ToArray())];
        _detector.Use(Plans.Cluster("c") with { Outlier = plan });
    }

    private bool IsOut(int endpoint) => _table.All[endpoint].IsOut;

    private void Fail(int endpoint, int times, int status = 500)
    {
        for (var i = 0; i < times; i++)
        {
            _detector.Answered(_loops[0][endpoint], status);
        }
    }

    private void Mix(int endpoint, int good, int total)
    {
        for (var i = 0; i < total; i++)
        {
            _detector.Answered(_loops[i % 2][endpoint], i < good ? 200 : 500);
        }
    }

    private void Advance(int seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        _detector.Sweep();
    }

    /// <summary>Seconds until the first endpoint is back.</summary>
    private int EjectAndWait()
    {
        Fail(0, 5);
        var seconds = 0;
        while (IsOut(0))
        {
            Advance(10);
            seconds += 10;
        }

        return seconds;
    }
}

// SPDX-License-Identifier: Apache-2.0

using FsCheck;
using FsCheck.Fluent;
using Weft.Model.Plan;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Wire.Tests.Plans;

public sealed class RoundTripTests
{
    private static readonly Config _many = Config.QuickThrowOnFailure.WithMaxTest(400);

    [Fact]
    public void A_decoded_plan_equals_the_encoded_one() => Check(seed =>
    {
        var plan = PlanMaker.Plan(seed);
        var decoded = PlanDecoder.Decode(new PlanEncoder().Encode(plan).All);
        return decoded.Errors.IsEmpty && decoded.Warnings.IsEmpty && plan == decoded.Plan;
    });

    [Fact]
    public void The_same_plan_has_the_same_bytes_and_versions() => Check(seed =>
    {
        var first = new PlanEncoder().Encode(PlanMaker.Plan(seed));
        var second = new PlanEncoder().Encode(PlanMaker.Plan(seed));
        return first.All.SequenceEqual(second.All);
    });

    [Fact]
    public void A_changed_resource_has_another_version() => Check(seed =>
    {
        var plan = PlanMaker.Plan(seed);
        if (plan.Clusters.Count == 0)
        {
            return true;
        }

        var changed = plan with { Clusters = [plan.Clusters[0] with { ConnectTimeoutMs = plan.Clusters[0].ConnectTimeoutMs + 1 }] };
        return new PlanEncoder().Encode(changed).Clusters[0].Version != new PlanEncoder().Encode(plan).Clusters[0].Version;
    });

    [Fact]
    public void A_part_that_is_the_same_object_is_encoded_once()
    {
        var encoder = new PlanEncoder();
        var plan = PlanMaker.Plan(5) with { Endpoints = [new EndpointsPlan("shared", [])] };
        var first = encoder.Encode(plan);
        var second = encoder.Encode(plan with { Clusters = [] });
        Assert.Same(first.Endpoints[0], second.Endpoints[0]);
    }

    private static void Check(Func<int, bool> property) =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), property).Check(_many);
}

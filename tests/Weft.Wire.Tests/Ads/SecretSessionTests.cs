// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Wire.Tests.Ads;

/// <summary>Secrets over SDS: asked for by name, absent ones keep nothing else waiting, changes come by themselves.</summary>
public sealed class SecretSessionTests
{
    private const string Name = "kubernetes://cert";

    private static readonly PlanEncoder _encoder = new();

    [Fact]
    public void A_client_asks_for_the_secrets_that_its_listeners_and_clusters_name()
    {
        var stream = Settled(Plan(Secret("first")));
        Assert.Equal(Plan(Secret("first")), stream.Client.Plan);
        Assert.Equal(SyncState.Synced, stream.Server.StateOf(TypeUrls.Secret));
    }

    [Fact]
    public void A_secret_that_nobody_names_is_not_sent()
    {
        var stream = Settled(SmallMesh.Plan("a") with { Secrets = [Secret("first")] });
        Assert.Empty(stream.Client.Plan!.Secrets);
        Assert.DoesNotContain(stream.Log, response => response.TypeUrl == TypeUrls.Secret);
    }

    [Fact]
    public void A_missing_secret_keeps_nothing_waiting_and_comes_when_it_is_there()
    {
        var stream = Settled(Plan());
        Assert.Equal(Plan(), stream.Client.Plan);
        stream.Log.Clear();
        stream.Server.Update(_encoder.Encode(Plan(Secret("later"))));
        stream.Settle();
        Assert.Equal(TypeUrls.Secret, Assert.Single(stream.Log).TypeUrl);
        Assert.Equal(Plan(Secret("later")), stream.Client.Plan);
    }

    [Fact]
    public void A_new_version_and_an_end_change_nothing_but_the_secret()
    {
        var stream = Settled(Plan(Secret("first")));
        foreach (var next in new[] { Plan(Secret("second")), Plan() })
        {
            stream.Log.Clear();
            stream.Server.Update(_encoder.Encode(next));
            stream.Settle();
            Assert.Equal(TypeUrls.Secret, Assert.Single(stream.Log).TypeUrl);
            Assert.Equal(next, stream.Client.Plan);
        }
    }

    [Fact]
    public void A_client_that_comes_back_keeps_the_secret_that_it_has()
    {
        var stream = Settled(Plan(Secret("first")));
        stream.Log.Clear();
        stream.Reconnect();
        stream.Server.Update(_encoder.Encode(Plan(Secret("first"))));
        stream.Settle(plan => Assert.Single(plan.Secrets));
        Assert.DoesNotContain(stream.Log, response => response.TypeUrl == TypeUrls.Secret && response.Resources.Count + response.RemovedResources.Count > 0);
    }

    [Fact]
    public void A_plan_on_disk_has_no_secrets()
    {
        var kept = PlanCache.Read(PlanCache.Write(_encoder.Encode(Plan(Secret("first")))))!;
        Assert.Empty(kept.Secrets);
        Assert.NotEmpty(kept.Listeners);
    }

    [Fact]
    public void What_is_wrong_with_a_secret_is_said_without_its_contents()
    {
        var secret = new Envoy.Extensions.TransportSockets.Tls.V3.Secret
        {
            Name = Name,
            TlsCertificate = new() { PrivateKey = new() { InlineString = "the key" } },
        };
        var decoded = PlanDecoder.Decode(TypeUrls.Secret, Name, Google.Protobuf.MessageExtensions.ToByteString(secret));
        var problem = Assert.Single(decoded.Errors);
        Assert.Equal("tls_certificate.certificate_chain", problem.Field);
        Assert.DoesNotContain("the key", problem.ToString(), StringComparison.Ordinal);
    }

    private static Wire Settled(ProxyPlan plan)
    {
        var stream = new Wire();
        stream.Server.Update(_encoder.Encode(plan));
        stream.Open();
        stream.Settle();
        return stream;
    }

    private static SecretPlan Secret(string key) => new(Name, "chain", key, "", "");

    private static ProxyPlan Plan(params SecretPlan[] secrets)
    {
        var plan = SmallMesh.Plan("a");
        var tls = new DownstreamTlsPlan(false, [], ["h2"]) { Certificates = [CertificateSource.Of(Name)] };
        return plan with
        {
            Listeners = [plan.Listeners[0] with { Chains = [plan.Listeners[0].Chains[0] with { Tls = tls }] }],
            Secrets = secrets.ToEquatableArray(),
        };
    }
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests.Control;

public sealed class BootstrapTests : IDisposable
{
    private const string Least = """{"node":{"id":"sidecar~10.0.0.1~a.b~b.svc.cluster.local"},"identity":{}}""";
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void What_is_not_written_has_its_default()
    {
        var read = Read(Least);
        Assert.True(read.MarkSockets);
        Assert.Equal((1, "auto", "/dev/stdout", 5), (read.Loops, read.Io, read.AccessLog, read.DrainSeconds));
        Assert.Equal((15001, 15006, 15000, 15020, 15090, 15021), (read.Ports.Outbound, read.Ports.Inbound, read.Ports.Admin, read.Ports.Metrics, read.Ports.Prometheus, read.Ports.Status));
        Assert.Equal(("cluster.local", 24 * 3600), (read.Identity.TrustDomain, read.Identity.CertificateLifetimeSeconds));
    }

    [Theory]
    [InlineData("", "is not valid")]
    [InlineData("null", "is empty")]
    [InlineData("{}", "node")]
    [InlineData("""{"role":"router","node":{"id":"x"},"identity":{}}""", "'router'")]
    [InlineData("""{"loops":0,"node":{"id":"x"},"identity":{}}""", "1 to 256")]
    [InlineData("""{"io":"magic","node":{"id":"x"},"identity":{}}""", "'magic'")]
    public void A_bootstrap_that_cannot_be_used_is_refused_with_the_file_and_the_reason(string json, string reason)
    {
        var refused = Assert.Throws<BootstrapException>(() => Read(json));
        Assert.Contains(_file, refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("/nowhere/at/all", Assert.Throws<BootstrapException>(() => Bootstrap.Read("/nowhere/at/all")).Message, StringComparison.Ordinal);

    private Bootstrap Read(string json)
    {
        File.WriteAllText(_file, json);
        return Bootstrap.Read(_file);
    }
}

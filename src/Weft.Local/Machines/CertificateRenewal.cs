// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Machines;

/// <summary>
/// Keeps the certificate of a machine that joined from ending: at four fifths of its life the machine asks, as the node that it is, for another. Who
/// opens the next connection proves itself by that one; those that are open stay.
/// </summary>
public sealed partial class CertificateRenewal(KubernetesClient client, MeshHome home, Machine machine, TimeProvider clock, ILogger log)
{
    /// <summary>Short beside any certificate's life: a timer of the system does not count the time that a laptop sleeps.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromHours(1);

    /// <summary>Renews whenever it is time, until cancelled; a machine whose certificate has ended says so once and waits to be joined again.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var saidEnded = false;
        while (true)
        {
            var (begins, ends) = Machine.Validity(home);
            var now = clock.GetUtcNow();
            if (now >= ends && !saidEnded)
            {
                saidEnded = true;
                LogEnded(log, Machine.Ended(machine.Node, ends), Machine.EndedCure(machine.Node));
            }
            else if (now < ends && now >= begins + ((ends - begins) * 0.8))
            {
                await RenewAsync(ends, ct);
            }

            await Task.Delay(_look, clock, ct);
        }
    }

    private async Task RenewAsync(DateTimeOffset ends, CancellationToken ct)
    {
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var certificate = await Joining.RequestAsync(client, key, machine.Node, ct);
            Machine.WriteOwn(home, certificate, key);
            LogRenewed(log, machine.Node, Machine.Validity(home).Ends);
        }
        catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException or SocketException
            or JoinException or CryptographicException or FormatException)
        {
            LogNotRenewed(log, machine.Node, ends, e.Message);
        }
    }

    [LoggerMessage(5630, LogLevel.Information, "The certificate of node {Node} was renewed; it is good until {Ends:u}.")]
    private static partial void LogRenewed(ILogger log, string node, DateTimeOffset ends);

    [LoggerMessage(5631, LogLevel.Warning, "The certificate of node {Node}, which ends at {Ends:u}, could not be renewed; in an hour again: {Reason}")]
    private static partial void LogNotRenewed(ILogger log, string node, DateTimeOffset ends, string reason);

    [LoggerMessage(5632, LogLevel.Error, "{Problem} {Cure}")]
    private static partial void LogEnded(ILogger log, string problem, string cure);
}

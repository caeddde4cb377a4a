// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Cli.Output;
using Weft.Compiler.Explain;
using Weft.Dialects.Reading;
using Weft.Model.Plan;

namespace Weft.Cli.Asking;

/// <summary>What answers a question: the plan of the client's proxy, the services that it may call, the plans of the servers.</summary>
/// <param name="Client">The client's pod, <c>name.namespace</c>.</param>
/// <param name="Namespace">Its namespace, which completes short names.</param>
/// <param name="Identity">As servers see it.</param>
/// <param name="Plan">Of the client's proxy.</param>
/// <param name="Services">Everything that has a name.</param>
/// <param name="ServerPlan">The plan of the proxy at an address; null where there is none.</param>
internal sealed record Ground(
    string Client, string Namespace, string Identity, ProxyPlan Plan, IReadOnlyList<Callee> Services, Func<string, Task<ProxyPlan?>> ServerPlan)
{
    /// <summary>The client's own; empty if it is not known.</summary>
    public string Address { get; init; } = "";

    /// <summary>Something that the reader should know about the plan; null if there is nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Where the client's connection goes, and what its request says.</summary>
    public (Callee? Service, RequestDescription Request) Place(Question question)
    {
        var service = Find(question.Host);
        var port = question.Port != 0 ? question.Port : service is null ? 80 : PortOf(service, question);
        if (service is not null && !service.Ports.Contains(port))
        {
            throw new CommandException(
                ExitCode.Failed, $"{service.Host} has no port {Number(port)}.", $"It has {string.Join(", ", service.Ports.Select(Number))}:  {question.Host}:{First(service)}");
        }

        if (service is null && Near(question.Host) is { } near)
        {
            throw new CommandException(ExitCode.Failed, $"There is no service '{question.Host}' for clients in namespace '{Namespace}'.", $"Did you mean '{near}'?");
        }

        var plain = port == (question.Tls ? 443 : 80);
        return (service, new RequestDescription(
            service?.Address ?? OutsideAddress,
            port,
            plain ? question.Host : $"{question.Host}:{Number(port)}",
            question.Path,
            question.Method,
            question.Headers)
        {
            Tls = question.Tls,
        });
    }

    /// <summary>Of the block that documents use for addresses that nobody has: stands for one outside the mesh.</summary>
    private const string OutsideAddress = "203.0.113.1";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string First(Callee service) => service.Ports.Count > 0 ? Number(service.Ports[0]) : "PORT";

    private static int PortOf(Callee service, Question question) => service.Ports switch
    {
        [var only] => only,
        var ports when ports.Contains(80) => 80,
        _ => throw new CommandException(
            ExitCode.WrongUsage, $"{service.Host} has the ports {string.Join(", ", service.Ports.Select(Number))}.", $"Say which:  {question.Host}:{First(service)}"),
    };

    private Callee? Find(string host) =>
        Services.FirstOrDefault(s => s.Host == host)
        ?? Services.FirstOrDefault(s => s.Host.StartsWith($"{host}.{Namespace}.svc.", StringComparison.Ordinal))
        ?? Services.FirstOrDefault(s => s.Host.StartsWith($"{host}.svc.", StringComparison.Ordinal))
        ?? Services.FirstOrDefault(s => s.Host.StartsWith($"{host}.", StringComparison.Ordinal) && host.EndsWith(".svc", StringComparison.Ordinal))
        ?? Services.FirstOrDefault(s => s.Address == host);

    /// <summary>A name without a dot can only be a service; what it is near to is what was meant.</summary>
    private string? Near(string host)
    {
        if (host.Contains('.', StringComparison.Ordinal))
        {
            return null;
        }

        var elsewhere = Services.FirstOrDefault(s => s.Host.StartsWith(host + ".", StringComparison.Ordinal));
        return elsewhere is not null
            ? string.Join('.', elsewhere.Host.Split('.').Take(2))
            : NearestName.Of(host, Services.Where(s => s.Host.Contains($".{Namespace}.", StringComparison.Ordinal)).Select(s => s.Host.Split('.')[0]))
                ?? throw new CommandException(
                    ExitCode.Failed, $"There is no service '{host}' for clients in namespace '{Namespace}'.", "weft kubectl get services -A lists them; a host outside the mesh has a dot in its name.");
    }
}

/// <summary>Something that can be called.</summary>
/// <param name="Host">In full.</param>
/// <param name="Address">Its virtual address, or an endpoint's where it has none.</param>
/// <param name="Ports">In the order written.</param>
internal sealed record Callee(string Host, string Address, IReadOnlyList<int> Ports);

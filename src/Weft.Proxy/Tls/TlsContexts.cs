// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>
/// One loop's TLS contexts, by plan, for the identity and the credentials in force. New ones drop the contexts that used the old: connections
/// made from then on use the new, older connections keep the session they have.
/// </summary>
internal sealed class TlsContexts(Func<long> now) : IDisposable
{
    /// <summary>Kept contexts of one side; above this all are dropped and made again as needed.</summary>
    internal const int Limit = 4096;

    /// <summary>How long files are believed to be what they were.</summary>
    internal const int FilesAgeMs = 2000;

    private const string NoIdentity = "this proxy has no certificate yet";

    private readonly Dictionary<DownstreamTlsPlan, Made> _servers = [];
    private readonly Dictionary<UpstreamTlsPlan, Made> _clients = [];
    private CredentialSet _credentials = CredentialSet.None;

    internal TlsMaterial? Material { get; private set; }

    /// <summary>The identity as text; empty without one.</summary>
    internal string OwnPrincipal { get; private set; } = "";

    internal void Use(TlsMaterial material)
    {
        Drop();
        Material = material;
        OwnPrincipal = material.Identity.ToString();
    }

    internal void Use(CredentialSet credentials)
    {
        if (ReferenceEquals(_credentials, credentials))
        {
            return;
        }

        _credentials = credentials;
        Drop(_servers, plan => plan.Certificates.Count > 0);
        Drop(_clients, plan => plan.Certificate is not null || plan.CaSecret.Length > 0);
    }

    /// <summary>Null, with the reason, where the proxy does not have what the plan needs.</summary>
    internal TlsContext? ForServer(DownstreamTlsPlan plan, out string problem)
    {
        var isOwn = plan.Certificates.Count == 0;
        return Find(_servers, plan, isOwn || !HasFiles(plan) ? null : () => CertificateFile.Of(plan), out problem, () =>
            !isOwn ? TlsContext.ForOutside(plan, _credentials)
            : Material is null ? null : TlsContext.ForServer(plan, Material));
    }

    /// <summary>Null, with the reason, where the proxy does not have what the plan needs.</summary>
    internal TlsContext? ForClient(UpstreamTlsPlan plan, out string problem)
    {
        var isSimple = plan.Mode == UpstreamTlsMode.Simple;
        return Find(_clients, plan, isSimple ? () => CertificateFile.Of(plan) : null, out problem, () =>
            isSimple ? TlsContext.ForSimpleClient(plan, _credentials)
            : Material is null ? null : TlsContext.ForMeshClient(plan, Material));
    }

    public void Dispose() => Drop();

    private static bool HasFiles(DownstreamTlsPlan plan) => CertificateFile.Of(plan).Any();

    private TlsContext? Find<T>(
        Dictionary<T, Made> made, T plan, Func<IEnumerable<string>>? files, out string problem, Func<TlsContext?> make)
        where T : notnull
    {
        problem = NoIdentity;
        if (made.TryGetValue(plan, out var known) && IsFresh(known, files))
        {
            return known.Context;
        }

        if (made.Remove(plan, out known))
        {
            known.Context.Dispose();
        }

        KeepBelowLimit();
        try
        {
            // The stamp first: a file that is replaced while it is read is read again.
            var stamp = files is null ? 0 : CertificateFile.Stamp(files());
            if (make() is not { } context)
            {
                return null;
            }

            made[plan] = new Made(context, stamp) { CheckedAt = now() };
            return context;
        }
        catch (TlsException missing)
        {
            problem = missing.Message;
            return null;
        }
    }

    private bool IsFresh(Made known, Func<IEnumerable<string>>? files)
    {
        if (files is null || now() - known.CheckedAt < FilesAgeMs)
        {
            return true;
        }

        known.CheckedAt = now();
        return CertificateFile.Stamp(files()) == known.Stamp;
    }

    private void KeepBelowLimit()
    {
        if (_servers.Count + _clients.Count >= Limit)
        {
            Drop();
        }
    }

    private void Drop()
    {
        Drop(_servers, _ => true);
        Drop(_clients, _ => true);
    }

    private static void Drop<T>(Dictionary<T, Made> made, Func<T, bool> which)
        where T : notnull
    {
        foreach (var plan in made.Keys.Where(which).ToArray())
        {
            made.Remove(plan, out var gone);
            gone!.Context.Dispose();
        }
    }

    private sealed record Made(TlsContext Context, long Stamp)
    {
        internal long CheckedAt { get; set; }
    }
}

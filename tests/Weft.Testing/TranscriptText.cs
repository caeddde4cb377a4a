// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Testing;

/// <summary>What recorded programs printed, without what differs from run to run.</summary>
public static partial class TranscriptText
{
    /// <summary>Takes out what differs from run to run: addresses, identifiers, moments, ages, and the spacing that follows.</summary>
    public static string Normal(string text, string url)
    {
        text = Skew().Replace(text, "");
        text = Foreign().Replace(text, "");
        text = ClientLog().Replace(text, "");
        text = text.Replace(url, "https://SERVER", StringComparison.Ordinal);
        text = text.Replace("kubernetes-admin", "system:admin", StringComparison.Ordinal);
        text = Token().Replace(text, "JWT");
        text = Generated().Replace(text, "$1XXXXX");
        text = Temporary().Replace(text, "PATH");
        text = Uid().Replace(text, "UID");
        text = LongMoment().Replace(text, "TIME");
        text = Weekday().Replace(text, "DATE");
        text = Modified().Replace(text, "modifiedAt=N");
        text = Moment().Replace(text, "TIME");
        text = Version().Replace(text, "$1RV");
        text = ServiceAddress().Replace(text, "CLUSTERIP");
        text = Age().Replace(text, "AGE");
        text = LongDate().Replace(text, "DATE");
        return Ordered(LineEnd().Replace(Spaces().Replace(text, " "), "\n").Trim());
    }

    /// <summary>The errors of a custom object come in the order of a hash table on the real server: another one every time.</summary>
    private static string Ordered(string text)
    {
        var lines = text.Split('\n');
        var errors = lines.Where(line => line.StartsWith("* ", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var next = 0;
        return string.Join('\n', lines.Select(line => line.StartsWith("* ", StringComparison.Ordinal) ? errors[next++] : line));
    }

    [GeneratedRegex("^warning: version difference.*\\n?", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Skew();

    /// <summary>What kubectl's own library logs depends on which of two of its timers is first.</summary>
    [GeneratedRegex("^[EWI]\\d{4} \\d\\d:\\d\\d:\\d\\d\\.\\d+ +\\d+ [\\w.]+:\\d+\\].*\\n?", RegexOptions.Multiline)]
    private static partial Regex ClientLog();

    /// <summary>What only one of the two servers has from the start: a config map in every namespace there, a namespace here.</summary>
    [GeneratedRegex("^.*(openshift-service-ca\\.crt|istio-system).*\\n?", RegexOptions.Multiline)]
    private static partial Regex Foreign();

    [GeneratedRegex("eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+")]
    private static partial Regex Token();

    [GeneratedRegex("\\b(gen-|web-)[a-z0-9]{5}\\b")]
    private static partial Regex Generated();

    /// <summary>The files that kubectl diff compares.</summary>
    [GeneratedRegex("/tmp/((LIVE|MERGED)-\\d+/\\S+|kubectl-edit-\\d+\\.yaml)")]
    private static partial Regex Temporary();

    [GeneratedRegex("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d+ \\+0000( UTC)?")]
    private static partial Regex LongMoment();

    [GeneratedRegex("[A-Z][a-z]{2} [A-Z][a-z]{2} +\\d+ \\d\\d:\\d\\d:\\d\\d \\d{4}")]
    private static partial Regex Weekday();

    [GeneratedRegex("modifiedAt=\\d+")]
    private static partial Regex Modified();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z")]
    private static partial Regex Moment();

    [GeneratedRegex("(resourceVersion\\\\?\"?: ?\\\\?\"?|Resource Version: +|, current: )\\d+")]
    private static partial Regex Version();

    [GeneratedRegex("10\\.96\\.(?!0\\.)\\d+\\.\\d+")]
    private static partial Regex ServiceAddress();

    [GeneratedRegex("(?<![\\w.-])(\\d+[smhd])+(?= |$|\\n)", RegexOptions.Multiline)]
    private static partial Regex Age();

    [GeneratedRegex("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d [+\\w]+")]
    private static partial Regex LongDate();

    [GeneratedRegex("[ \\t]+")]
    private static partial Regex Spaces();

    [GeneratedRegex(" +\\n")]
    private static partial Regex LineEnd();
}

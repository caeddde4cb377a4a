// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

/// <summary>
/// What attackers and broken clients send, byte for byte, whole and in every split into two. The table is adversarial.txt: number,
/// expected words, bytes. {H} is a Host line, {x*n} repeats x, \xHH is a byte.
/// </summary>
public sealed class AdversarialTests
{
    private const string Host = "Host: a.test\r\n";

    public static TheoryData<string, string, string> Table()
    {
        var data = new TheoryData<string, string, string>();
        var path = RepositoryRoot.File("tests", "Weft.Protocols.Tests", "Http1", "adversarial.txt");
        foreach (var line in File.ReadAllLines(path).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var parts = line.Split('\t');
            data.Add(parts[0], parts[1], parts[2]);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void It_is_understood_in_one_way_only(string number, string expected, string escaped)
    {
        Assert.Equal(3, number.Length);
        var bytes = Unescape(escaped);
        expected = expected.Replace("~", "\r\n", StringComparison.Ordinal);
        Assert.Equal(expected, Conversation.Read(bytes, Http1Rules.Default));
        if (bytes.Length < 400)
        {
            for (var split = 1; split < bytes.Length; split++)
            {
                var first = split;
                Assert.Equal(Kind(expected), Kind(Conversation.Read(bytes, Http1Rules.Default, () => first)));
            }
        }
    }

    [Fact]
    public void Every_refusal_has_a_status_a_section_and_a_sentence()
    {
        foreach (var error in Enum.GetValues<Http1Error>().Where(error => error != Http1Error.None))
        {
            Assert.InRange(error.Status(), 400, 599);
            Assert.StartsWith("RFC ", error.Section(), StringComparison.Ordinal);
            Assert.EndsWith(".", error.Describe(), StringComparison.Ordinal);
        }
    }

    /// <summary>Messages must be the same in every split; the name of an error may depend on what has arrived.</summary>
    private static string Kind(string words) => string.Join(" | ", words.Split(" | ")
        .Select(word => Enum.TryParse<Http1Error>(word, out _) ? "refused" : word));

    internal static byte[] Unescape(string text)
    {
        var bytes = new List<byte>();
        text = text.Replace("{H}", Host, StringComparison.Ordinal);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
                bytes.Add(text[i] switch
                {
                    'r' => (byte)'\r',
                    'n' => (byte)'\n',
                    't' => (byte)'\t',
                    'x' => Convert.ToByte(text.Substring(i + 1, 2), 16),
                    _ => (byte)text[i],
                });
                i += text[i] == 'x' ? 2 : 0;
            }
            else if (text[i] == '{')
            {
                var end = text.IndexOf('}', i);
                var star = text.LastIndexOf('*', end);
                var piece = Unescape(text[(i + 1)..star]);
                for (var left = int.Parse(text[(star + 1)..end], System.Globalization.CultureInfo.InvariantCulture); left > 0; left--)
                {
                    bytes.AddRange(piece);
                }

                i = end;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[i].ToString()));
            }
        }

        return [.. bytes];
    }
}

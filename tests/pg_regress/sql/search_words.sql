-- Words without accents, case and punctuation, each with its organization in front.
select switchboard.search_words('00000000-0000-4000-8000-0000000000ab', 'José O''Brien-Smith SW1A 1AA jose@x.example');
select switchboard.search_words('00000000-0000-4000-8000-0000000000ab', ' – ') as none, switchboard.search_words(null, 'x') is null as of_nobody;

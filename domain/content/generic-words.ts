/** Words that a stop list leaves in although they name no topic. */
export const GENERIC_WORDS: ReadonlySet<string> = new Set(
  (
    'able above account across actually add ago allow almost alone along already also although always among amount another any ' +
    'appear apt around ask away bad begin behold beside best better big bring call case cause certain chapter come common consider ' +
    'contain continue day different do easy end entire enough especially etc even ever every example fact far farther few fig figure ' +
    'find first follow foregoing former general get give go good great greater greatest happen hath have hence high himself however idea ' +
    'illustration important include indeed instance instead itself keep kind know large last late later latter lay lead leave left less ' +
    'let like likely little long look lot low made mainly make man manner many matter-of-fact may mean mention might most much must near ' +
    'necessary need new next nothing now number obtain often old one other page part particular past people perhaps place point possible ' +
    'present put question quite reason right said same say second see seem self several shall show similar sort still such suppose take ' +
    'tell thereby therefore thing think thirdly third thus time tis turn two type use usual various very want way well whence whole will word work ' +
    'year yes yet'
  ).split(' '),
);
